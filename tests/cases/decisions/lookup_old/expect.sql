SELECT id, colour, colour IS NULL FROM car ORDER BY id;
