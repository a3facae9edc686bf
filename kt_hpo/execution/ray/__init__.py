"""How trials run on Ray Tune: on this machine, or on the nodes of a cluster.

Ray Tune decides where a trial runs, starts what it needs and notices what is lost. The oracle, the
record and the display stay in the search's process, which answers what is asked of it:

    executor.py         what a user gives as `executor=`              the search's process
    cluster.py          starts Ray, or connects to it
    server.py           answers Ray Tune's loop and the workers
    loop.py             Ray Tune's loop, in a thread or on the head
    searcher.py         proposes what the oracle does, tells of losses   Ray Tune's loop
    trainable.py        what Ray Tune runs on a node                     a worker
    worker_process.py   unpacks the search, runs trials

and between them

    request_broker.py, messages.py   what they say to each other
    object_store.py                  data, written once
    remote_storage.py                the directories of trials, where nodes share no files
"""
