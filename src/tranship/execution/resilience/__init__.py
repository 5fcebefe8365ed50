"""Sessions, locks and tries: what a run needs because servers and networks fail.

Here is what knows of connections and errors and nothing of rows. Begin with ``server_errors``, which says
what an error means, and ``stop_reasons``, which says what a person can do about it. ``retry`` tries again
after a transient error, and ``connection`` does so on a session that may have to be opened anew.
``writer_lock`` keeps a second run out and fences off one that was overtaken. ``stall`` ends a batch whose
servers wait for us, ``throttle`` holds batches back, and ``failpoints`` names the places at which tests
interrupt a run.
"""
