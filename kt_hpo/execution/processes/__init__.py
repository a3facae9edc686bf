"""How trials run in processes of their own.

The process of the search starts a supervisor, and the supervisor starts the workers:

    launcher.py         starts the supervisor, and asks it for workers    the search's process
    worker_pool.py      gives workers what the dispatcher hands out, and answers them
    worker.py           a worker as the search sees it
    supervisor.py       starts and ends workers; outlives none            the supervisor
    worker_process.py   unpacks the search, runs trials                   a worker

and between them

    channel.py                messages over a pair of sockets
    remote.py                 the search as a worker has it
    payload.py, pickling.py   user code and what it refers to, as bytes
    arrays.py, datasets.py    data, shared and not sent
    devices.py                who gets which cores and GPUs
"""
