"""Which addresses are public. Everything that wraps another address is judged by what is inside, too."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")  # IPv4-compatible, long deprecated, still routed by some


_PRIVATE = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7"),
    )
)
_METADATA = {ipaddress.ip_address(one) for one in ("fd00:ec2::254", "100.100.100.200")}  # of clouds


def is_private_target(text: str) -> bool:
    """Whether it is an address of this machine or of a network behind it, at which a receiver of one's own may stand.

    Never link-local ones, and none at which clouds hand out credentials.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address not in _METADATA and any(address in network for network in _PRIVATE)


def is_public(text: str) -> bool:
    """Whether a connection to this IP address leaves for the public internet. False for what is no address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(_is_global(one) for one in _unwrap(address))


def _is_global(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_link_local
        and not address.is_unspecified
    )


def _unwrap(address: Address) -> Iterator[Address]:
    """The address, and those that are written inside of it."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    inner = address.ipv4_mapped or address.sixtofour
    if inner is not None:
        yield inner
        if address.ipv4_mapped is not None:
            return  # the same address in another spelling
    yield address
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in (*_NAT64, _COMPATIBLE)):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def literal_address(host: str) -> str | None:
    """The IP address that a host is spelt as, in any form that a resolver takes: decimal, octal, hexadecimal, short.

    None for names.
    """
    text = host.strip("[]")
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        pass
    if not text or text[0] not in "0123456789":  # a name; inet_aton would take some
        return None
    try:
        return str(ipaddress.IPv4Address(socket.inet_aton(text)))
    except OSError:
        return None
