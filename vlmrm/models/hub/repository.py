"""Looks up what repositories of the hub contain, and single files on other servers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    HfApi,
    ModelInfo,
    constants,
    get_hf_file_metadata,
    get_session,
    hf_hub_url,
    try_to_load_from_cache,
)

from vlmrm.errors import UserError, one_line
from vlmrm.models.hub.requests import HTTPError, endpoint, explain, host_of, patiently, token

TIMEOUT = 10.0
"""Timeout of a request in seconds; downloads have the client's own."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be downloaded.

    Attributes:
        name: File name, without folders.
        url: Address of the file.
        version: Identifies the content; differs between versions of a file.
        size: Size in bytes, if the server reports it.
        sha256: Checksum or its first digits, if known.
        cached: A large file in the cache of the client, where other programs download to.
    """

    name: str
    url: str
    version: str
    size: int | None = None
    sha256: str | None = None
    cached: Path | None = None

    @property
    def stored_name(self) -> str:
        """Name of the downloaded file; a partial file of another version must not be resumed."""
        return f"{self.version[:16]}-{self.name}"


@dataclass(frozen=True)
class Repository:
    """A repository of the hub at one commit.

    Attributes:
        name: ``owner/name``.
        commit: Commit of the files.
        files: Files of its top folder by name.
        license: Its license as the hub names it, if its page names one.
        gated: Whether the hub asks for the token of an account that has accepted its terms.
    """

    name: str
    commit: str
    files: dict[str, RemoteFile]
    license: str | None = None
    gated: bool = False

    @property
    def origin(self) -> dict[str, str | bool | None]:
        """What the provenance of a model says of the repository."""
        return {
            "repository": self.name,
            "commit": self.commit,
            "license": self.license,
            "gated": self.gated,
        }


class Unreachable(UserError):
    """The hub does not answer; the message is the reason alone."""


def reach(key: str) -> str:
    """Address of the hub, which answers a request, whatever the answer; tries for some seconds.

    Raises:
        Unreachable: It does not.
        UserError: It cannot even be asked, for example because of the token.
    """
    token()
    index = f"{endpoint()}/api/models?limit=1"
    with explain(key, endpoint(), "its index"):
        try:
            patiently(key, lambda: get_session().get(index, timeout=3), pauses=(1.0, 2.0))
        except HTTPError as error:
            raise Unreachable(one_line(error)) from error
    return endpoint()


def look_up(key: str, name: str, revision: str | None) -> Repository:
    """Looks up the files of a repository at a revision, by default of its main branch.

    Raises:
        UserError: The hub cannot be reached or refuses the request.
    """
    with explain(key, endpoint(), name, revision):
        api = HfApi(endpoint=endpoint(), token=token())
        info = patiently(
            key,
            lambda: api.model_info(name, revision=revision, files_metadata=True, timeout=TIMEOUT),
        )
    commit = info.sha or revision
    if commit is None:
        raise UserError(f"{key}: {endpoint()} reports no commit of {name}; set `revision`")
    files = {
        f.rfilename: RemoteFile(
            name=f.rfilename,
            url=hf_hub_url(name, f.rfilename, revision=commit, endpoint=endpoint()),
            version=(f.lfs and f.lfs.sha256) or f.blob_id or commit,
            size=f.size,
            sha256=f.lfs.sha256 if f.lfs else None,
            cached=_in_cache(name, f.rfilename, commit) if f.lfs else None,
        )
        for f in info.siblings or []
        if "/" not in f.rfilename
    }
    return Repository(name, commit, files, _license(info), bool(info.gated))


def _in_cache(repository: str, name: str, commit: str) -> Path | None:
    path = try_to_load_from_cache(repository, name, constants.HF_HUB_CACHE, revision=commit)
    return Path(path).resolve() if isinstance(path, str) else None


def _license(info: ModelInfo) -> str | None:
    """The license in the metadata of a repository's page."""
    data = info.card_data
    if data is None:
        return None
    name = data.get("license")
    if name == "other":
        name = data.get("license_name") or name
    return ", ".join(name) if isinstance(name, list) else name


def look_up_url(key: str, url: str, sha256: str) -> RemoteFile:
    """Looks up a file on another server than the hub.

    Args:
        key: Key of the model in the configuration.
        url: Address of the file.
        sha256: Its checksum or the first digits of it.

    Raises:
        UserError: The server cannot be reached or refuses the request.
    """
    name = url.rsplit("/", 1)[-1]
    with explain(key, host_of(url), name):
        metadata = patiently(key, lambda: get_hf_file_metadata(url, token=False, timeout=TIMEOUT))
    return RemoteFile(name, url, sha256, metadata.size, sha256)


def check_access(key: str, file: RemoteFile) -> None:
    """Checks that the hub would send a file.

    Raises:
        UserError: It would not, for example because the model is gated.
    """
    credentials = token() if host_of(file.url) == endpoint() else False
    with explain(key, host_of(file.url), file.name):
        patiently(key, lambda: get_hf_file_metadata(file.url, token=credentials, timeout=TIMEOUT))
