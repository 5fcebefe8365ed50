SELECT count(*) FROM bare;
