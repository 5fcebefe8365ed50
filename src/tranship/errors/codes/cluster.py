"""TS150 to TS152, TS220, TS307, TS450 and TS451: the workers of a Dask cluster."""

from __future__ import annotations

from tranship.errors.message import ConnectMessage, RefusalMessage, StopMessage, UsageMessage


class NoEngine(UsageMessage, frozen=True):
    code = "TS150"
    meaning = "`--engine` names no scheduler of a Dask cluster"
    cure = "write `dask://127.0.0.1:8786`, or `dask+tls://HOST:8786` for another machine"
    message = "--engine {given!r}: {reason}"
    hint = "write dask://127.0.0.1:8786, or dask+tls://HOST:8786 for another machine"
    given: str
    reason: str


class NoDask(UsageMessage, frozen=True):
    code = "TS151"
    meaning = "the libraries for `--engine dask://…` are not installed"
    cure = "`pip install 'tranship[dask]'`"
    message = "--engine needs further libraries ({missing} is missing)"
    hint = "pip install 'tranship[dask]'"
    missing: str


class PlainTcpElsewhere(UsageMessage, frozen=True):
    code = "TS152"
    meaning = (
        "the connections of a Dask cluster would not be protected: a cluster runs whatever is sent to it"
    )
    cure = "use `dask+tls://` with Dask's certificate settings, or a scheduler and workers on the loopback"
    message = "dask:// is plain TCP and is accepted for this machine alone, not for {where}"
    hint = "use dask+tls://HOST:PORT with Dask's certificate settings (distributed.comm.tls)"
    where: str


class NoClusterCertificates(UsageMessage, frozen=True):
    code = PlainTcpElsewhere.code
    message = "dask+tls:// needs a certificate, a key and an authority: {missing} is not set"
    hint = (
        "set distributed.comm.tls.ca-file, distributed.comm.tls.client.cert and "
        "distributed.comm.tls.client.key in Dask's configuration or as DASK_DISTRIBUTED__COMM__TLS__…"
    )
    missing: str


class SchedulerUnreachable(ConnectMessage, frozen=True):
    code = "TS220"
    meaning = "the scheduler of the Dask cluster cannot be reached, or it has no workers"
    cure = "check its address, its certificates and that `dask worker` runs, or leave `--engine` out"
    message = "the Dask scheduler at {address} cannot be reached: {said}"
    hint = "check that dask scheduler runs and listens there, or leave --engine out"
    address: str
    said: str


class NoWorkers(ConnectMessage, frozen=True):
    code = SchedulerUnreachable.code
    message = "the Dask scheduler at {address} has no workers"
    hint = "start dask worker {address} on the machines that are to copy, or leave --engine out"
    address: str


class WorkerUnfit(RefusalMessage, frozen=True):
    code = "TS307"
    meaning = "a worker of the Dask cluster may not copy for this run"
    cure = (
        "give it the same version of tranship, and in TRANSHIP_CONFIG a configuration that leads to the same "
        "two databases with the same roles"
    )
    about = "{worker}"
    message = "the worker {worker} cannot copy for this run: {reason}"
    hint = (
        "every worker needs this version of tranship, and in TRANSHIP_CONFIG the path of a configuration "
        "that leads to the same two databases with the same roles"
    )
    worker: str
    reason: str


class UnlikeTheRun(RefusalMessage, frozen=True):
    code = WorkerUnfit.code
    message = "{reason}"
    hint = WorkerUnfit.hint
    reason: str


class ClusterLost(StopMessage, frozen=True):
    code = "TS450"
    meaning = "the scheduler or all workers of the Dask cluster went away"
    cure = "start them again, or leave `--engine` out; the same command resumes"
    message = "the Dask cluster at {address} is lost: {said}"
    hint = "start it again, or leave --engine out, and run the same command again: it resumes"
    address: str
    said: str


class WorkerStopped(StopMessage, frozen=True):
    code = "TS451"
    meaning = "a worker of the Dask cluster could not copy a batch"
    cure = "remove the cause that it names; the same command resumes"
    message = "the worker {worker} could not copy a batch: {said}"
    hint = "{remedy} and run the same command again: it resumes where it stopped"
    worker: str
    said: str
    remedy: str = "remove the cause"
