"""How trials run in processes of their own.

The process of the search starts a warden, and the warden starts the workers:

    launcher.py   starts the warden, and asks it for workers       the search's process
    crew.py       gives trials to the workers and answers them
    worker.py     a worker as the search sees it
    warden.py     starts and ends workers; outlives none            the warden
    work.py       unpacks the search, runs trials                   a worker
    remote.py     the search's objects, whose methods are called there

and between them

    channel.py, messages.py   what they say to each other
    shipment.py, parcel.py    user code and what it refers to, as bytes
    arrays.py, datasets.py    data, shared and not sent
    devices.py                who gets which cores and GPUs
"""
