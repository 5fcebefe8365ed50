"""The batches of a run on the workers of a Dask cluster.

The coordinator keeps everything but the copying: the snapshot, switches, foreign keys, sequences, flows that
are one stream. A task of the cluster holds the run's id, the epoch, the position of a flow and the number of
a batch; everything else a worker takes from NEW's journal and from the configuration of its own machine. What
it did it says in the journal, too: its answer is counts.

May not be here: how a batch is copied (``copying/batch``, the same on every machine). Only ``scheduler``
imports Dask, and only when it is called.

Begin with ``elsewhere`` (the coordinator's side: share the run, hand out a batch, read what the journal
says), then ``scheduler`` (the connection to the cluster). ``process`` is what a worker process calls,
``member`` its part in one run, ``shared_job`` the job as it finds it in the journal. ``facts`` says what both
sides have to agree on, ``answers`` what a worker sends back.
"""
