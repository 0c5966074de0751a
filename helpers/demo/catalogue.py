"""The sample catalogue: an assets database like CB-Tumblebug's, without any provider account.

These are real: the regions, machine types and prices of EC2, Azure and GCE, from the data files of
the package apache-libcloud, and the hardware, if those files or a machine type's name tell it (0
means unknown). These are generated: the images, the zones (three for each region), and all rows
that a scale needs in addition to the real ones. The names of generated images and machine types
contain "generated". The tables spec_info and image_info have the columns of CB-Tumblebug's tables,
and spec_info has their indexes.

The same scale always gives the same rows: nothing depends on a clock or on chance.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import NamedTuple

import libcloud
import psycopg
from libcloud.compute.constants.ec2_instance_types import INSTANCE_TYPES
from libcloud.compute.constants.ec2_region_details_complete import REGION_DETAILS
from libcloud.compute.drivers.azure import AZURE_COMPUTE_INSTANCE_TYPES
from psycopg import sql

MAXIMUM_SCALE = 10
ROWS_AT_SCALE_1 = {"spec_info": 90_000, "pricing_info": 27_000, "image_info": 203_000}
UNPRICED = -1  # as in CB-Tumblebug
SCORES = ", ".join(f"evaluation_score{number:02} numeric" for number in range(1, 11))
SCHEMA = f"""
CREATE TABLE region_info (
    provider_name text, region_name text, display_name text, latitude double precision,
    longitude double precision, zones jsonb,
    PRIMARY KEY (provider_name, region_name));
CREATE TABLE spec_info (
    id text, uid text, csp_spec_name text, name text, namespace text, connection_name text,
    provider_name text, region_name text, region_latitude numeric, region_longitude numeric,
    infra_type text, architecture text, os_type text, v_cpu integer, memory_gi_b numeric,
    disk_size_gb numeric, max_total_storage_ti_b integer, net_bw_gbps integer,
    accelerator_model text, accelerator_count smallint, accelerator_memory_gb numeric,
    accelerator_type text,
    cost_per_hour numeric, description text, order_in_filtered_result integer,
    evaluation_status text,
    {SCORES}, root_disk_type text, root_disk_size text, associated_object_list text,
    is_auto_generated boolean, system_label text, details text,
    PRIMARY KEY (id, namespace));
CREATE INDEX idx_namespace ON spec_info (namespace);
CREATE INDEX idx_vcpu ON spec_info (v_cpu);
CREATE INDEX idx_memorygib ON spec_info (memory_gi_b);
CREATE INDEX idx_cspspecname ON spec_info (csp_spec_name);
CREATE INDEX idx_costperhour ON spec_info (cost_per_hour);
CREATE INDEX idx_spec_main_filter
    ON spec_info (namespace, architecture, v_cpu, memory_gi_b, cost_per_hour);
CREATE INDEX idx_spec_x86_64 ON spec_info (namespace, v_cpu, memory_gi_b, cost_per_hour)
    WHERE architecture = 'x86_64';
CREATE INDEX idx_spec_arm64 ON spec_info (namespace, v_cpu, memory_gi_b, cost_per_hour)
    WHERE architecture = 'arm64';
CREATE TABLE pricing_info (
    provider_name text, region_name text, csp_spec_name text, os_type text, purchase_option text,
    currency char(3), price_per_hour numeric(14, 6), updated_at timestamptz, details jsonb,
    PRIMARY KEY (provider_name, region_name, csp_spec_name, os_type, purchase_option));
CREATE INDEX idx_pricing_spec ON pricing_info (csp_spec_name);
CREATE TABLE image_info (
    resource_type text, namespace text, provider_name text, csp_image_name text, region_list text,
    id text, uid text, name text, csp_image_id text, source_vm_uid text, source_csp_image_name text,
    connection_name text, infra_type text, fetched_time text, creation_date text,
    is_gpu_image boolean, is_kubernetes_image boolean, is_basic_image boolean,
    os_type text, os_architecture text, os_platform text, os_distribution text, os_disk_type text,
    os_disk_size_gb numeric, image_status text, details text, system_label text, description text,
    command_history text,
    PRIMARY KEY (namespace, provider_name, csp_image_name));
"""
PLACES = """
35.7 139.7 Tokyo: ap-northeast-1 japaneast asia-northeast1;
34.7 135.5 Osaka: ap-northeast-3 japanwest asia-northeast2;
37.6 127.0 Seoul: ap-northeast-2 koreacentral asia-northeast3;
22.3 114.2 Hong Kong: ap-east-1 eastasia asia-east2;
19.1 72.9 Mumbai: ap-south-1 westindia asia-south1;
1.4 103.8 Singapore: ap-southeast-1 southeastasia asia-southeast1;
-6.2 106.8 Jakarta: ap-southeast-3 asia-southeast2;
-33.9 151.2 Sydney: ap-southeast-2 australiaeast australia-southeast1;
-37.8 145.0 Melbourne: ap-southeast-4 australiasoutheast;
-33.9 18.4 Cape Town: af-south-1 southafricawest;
50.1 8.7 Frankfurt: eu-central-1 germanywestcentral europe-west3;
53.3 -6.3 Dublin: eu-west-1 northeurope;
47.4 8.5 Zurich: eu-central-2 switzerlandnorth europe-west6;
48.9 2.4 Paris: eu-west-3 francecentral;
51.5 -0.1 London: eu-west-2 uksouth europe-west2; 52.4 4.9 Amsterdam: westeurope;
59.3 18.1 Stockholm: eu-north-1; 45.5 -73.6 Montreal: ca-central-1 northamerica-northeast1;
25.3 55.3 Dubai: me-central-1 uaenorth;
-23.5 -46.6 Sao Paulo: sa-east-1 brazilsouth southamerica-east1;
41.3 -95.9 Iowa: centralus us-central1; 37.5 -78.5 Virginia: us-east-1 eastus eastus2 us-east4;
40.0 -83.0 Ohio: us-east-2; 45.8 -119.7 Oregon: us-west-2;
37.4 -121.9 Northern California: us-west-1 westus;
34.1 -118.2 Los Angeles: us-west-2-lax-1 us-west2
"""  # the larger regions; degrees north and east, name, region names
EC2_SYSTEMS = {
    "linux": "Linux",
    "windows": "Windows",
    "rhel": "RHEL",
    "rhel_ha": "RHEL HA",
    "suse": "SUSE",
}
GCE_FAMILIES = {  # GiB per vCPU and the numbers of vCPUs, as Google documents them
    "n1-standard": (3.75, (1, 2, 4, 8, 16, 32, 64, 96)),
    "n1-highmem": (6.5, (2, 4, 8, 16, 32, 64, 96)),
    "n1-highcpu": (0.9, (2, 4, 8, 16, 32, 64, 96)),
    "n2-standard": (4, (2, 4, 8, 16, 32, 48, 64, 80)),
    "n2-highmem": (8, (2, 4, 8, 16, 32, 48, 64, 80)),
    "n2-highcpu": (1, (2, 4, 8, 16, 32, 48, 64, 80)),
    "n2d-standard": (4, (2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224)),
    "n2d-highmem": (8, (2, 4, 8, 16, 32, 48, 64, 80, 96)),
    "n2d-highcpu": (1, (2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224)),
    "e2-standard": (4, (2, 4, 8, 16, 32)),
    "e2-highmem": (8, (2, 4, 8, 16)),
    "e2-highcpu": (1, (2, 4, 8, 16, 32)),
    "c2-standard": (4, (4, 8, 16, 30, 60)),
    "m1-ultramem": (24.025, (40, 80, 160)),
}
GCE_SHARED_CORE = {"f1-micro": ("f1", 1, 0.6), "g1-small": ("g1", 1, 1.7)}
IMAGE_SYSTEMS = (
    "Ubuntu 24.04",
    "Ubuntu 22.04",
    "Debian 12",
    "RHEL 9",
    "SLES 15",
    "Windows Server 2022",
)
IMAGE_DETAILS = {
    "BootMode": "uefi-preferred",
    "EnaSupport": "true",
    "Hypervisor": "xen",
    "ImageAllowed": "null",
    "ImageOwnerAlias": "amazon",
    "ImageType": "machine",
    "ImdsSupport": "v2.0",
    "KernelId": "null",
    "ProductCodes": "null",
    "Public": "true",
    "RamdiskId": "null",
    "RootDeviceName": "/dev/sda1",
    "RootDeviceType": "ebs",
    "SriovNetSupport": "simple",
    "State": "available",
    "StateReason": "null",
    "Tags": "null",
    "TpmSupport": "null",
    "UsageOperation": "RunInstances",
    "VirtualizationType": "hvm",
}
INSTANCE_STORES = ",".join(
    f"{{DeviceName:/dev/sd{letter},Ebs:null,NoDevice:null,VirtualName:ephemeral{number}}}"
    for number, letter in enumerate("hi")
)
as_json = json.JSONEncoder(separators=(",", ":")).encode  # without spaces, as Go writes it


def load(connection: psycopg.Connection, scale: float = 0.2) -> dict[str, int]:
    """Create the tables and fill them in one transaction; return each table's row count.

    ``scale`` is that of fill. Raises ValueError if one of the tables exists already.
    """
    with connection.transaction():
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        existing = {name for (name,) in tables} & {"region_info", *ROWS_AT_SCALE_1}
        if existing:
            raise ValueError(f"these tables exist already: {', '.join(sorted(existing))}")
        create_tables(connection)
        return fill(connection, scale)


def create_tables(connection: psycopg.Connection) -> None:
    """Create the four tables and their indexes."""
    connection.execute(SCHEMA)


def fill(connection: psycopg.Connection, scale: float = 0.2) -> dict[str, int]:
    """Fill the empty tables, and return each table's row count.

    Scale 1.0 is about the size of CB-Tumblebug's own database: 320,000 rows, 480 MB.
    Raises ValueError unless 0 < ``scale`` <= MAXIMUM_SCALE.
    """
    if not 0 < scale <= MAXIMUM_SCALE:
        raise ValueError(f"the scale must be above 0 and at most {MAXIMUM_SCALE}, not {scale}")
    prices = json.loads((Path(libcloud.__file__).parent / "data" / "pricing.json").read_text())
    updated = datetime.fromtimestamp(prices["updated"], timezone.utc)
    offers = sorted(all_offers(prices["compute"]))
    specs = [offer for offer in offers if (offer.system, offer.purchase) == ("Linux", "on-demand")]
    priced = [offer for offer in offers if offer.price != UNPRICED]
    regions = sorted({(offer.provider, offer.region) for offer in offers})
    wanted = {table: round(rows * scale) for table, rows in ROWS_AT_SCALE_1.items()}
    rows = {
        "region_info": (region_row(*region) for region in regions),
        "spec_info": (spec_row(*spec) for spec in spread(specs, wanted["spec_info"])),
        "pricing_info": (
            price_row(*price, updated) for price in spread(priced, wanted["pricing_info"])
        ),
        "image_info": (
            image_row(number, regions, updated) for number in range(wanted["image_info"])
        ),
    }
    return {table: copy_rows(connection, table, rows[table]) for table in rows}


def copy_rows(connection: psycopg.Connection, table: str, rows: Iterable[tuple]) -> int:
    """Append rows, with values in the order of the table's columns; return how many there were."""
    cursor = connection.cursor()
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
        for row in rows:
            copy.write_row(row)
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
    return cursor.rowcount


# --- what the providers offer ---


class Offer(NamedTuple):
    """A machine type in a region with an operating system, and its price in US dollars an hour."""

    provider: str
    region: str
    machine: str
    system: str
    purchase: str
    price: float


def all_offers(prices: dict[str, dict]) -> Iterator[Offer]:
    """Yield the offers in libcloud's price list, and offers of EC2 without a price.

    A price of 0 in the list means unknown; the offer has UNPRICED instead.
    """
    for region, details in REGION_DETAILS.items():
        for machine in details["instance_types"]:
            prices["ec2_linux"].setdefault(machine, {}).setdefault(region, 0.0)
    for key, system in EC2_SYSTEMS.items():
        for machine, region, price in each_price(prices[f"ec2_{key}"]):
            if "." in machine:  # the others are dedicated hosts
                yield Offer("aws", region, machine, system, "on-demand", price)
    for key, system in (("linux", "Linux"), ("windows", "Windows")):
        for name, region, price in each_price(prices[f"azure_{key}"]):
            purchase = "low-priority" if name.startswith("lowpriority") else "on-demand"
            yield Offer("azure", region, azure_name(name), system, purchase, price)
    for machine, (series, cpus, memory) in gce_machines().items():
        for key, purchase in (("on_demand", "on-demand"), ("preemptible", "preemptible")):
            for region, price in gce_prices(prices["gce_instances"][series], key, cpus, memory):
                yield Offer("gcp", region, machine, "Linux", purchase, price or UNPRICED)


def each_price(prices: dict[str, dict[str, float]]) -> Iterator[tuple[str, str, float]]:
    """Yield (machine, region, price) for each entry of ``prices``: machine, then region."""
    for machine, by_region in prices.items():
        for region, price in by_region.items():
            yield machine, region, price or UNPRICED


def azure_name(name: str) -> str:
    """Return Azure's name of the machine type that libcloud calls ``name``.

    For example, standardnc4ast4v3 is Standard_NC4as_T4_v3.
    """
    parts = re.fullmatch(
        r"(basic|standard|lowpriority)([a-z]+)(\d+)([a-z]*?)(t4)?(promo)?(v\d)?", name
    )
    tier, series, size, rest, card, promo, version = (part or "" for part in parts.groups())
    if (series, rest, version) == ("d", "s", ""):
        series, rest = "ds", ""
    tier = "Basic" if tier == "basic" else "Standard"
    words = (tier, series.upper() + size + rest, card.upper(), version, promo.capitalize())
    return "_".join(word for word in words if word)


def gce_machines() -> dict[str, tuple[str, int, float]]:
    """Return the series, vCPUs and GiB of each predefined machine type."""
    return GCE_SHARED_CORE | {
        f"{family}-{cpus}": (family.split("-")[0], cpus, cpus * gib_per_cpu)
        for family, (gib_per_cpu, sizes) in GCE_FAMILIES.items()
        for cpus in sizes
    }


def gce_prices(
    series: dict[str, dict], key: str, cpus: int, memory: float
) -> Iterator[tuple[str, float]]:
    """Yield (region, price) of a machine: the sum for its vCPUs and its memory in GiB.

    A machine with a shared core has a single price.
    """
    for region, cpu in series["cpu"][key].items():
        if "ram" not in series:
            yield region, cpu["price"]
        elif region in series["ram"][key]:
            gib = series["ram"][key][region]
            yield region, round(cpus * cpu["price"] + memory * gib["price"], 6)


class Hardware(NamedTuple):
    """A machine type: memory in GiB, disk and memory per accelerator in GB, details as JSON."""

    cpus: int = 0
    memory: float = 0
    disk: float = -1
    architecture: str = "x86_64"
    accelerators: int = 0
    accelerator_memory: float = 0
    details: str = "[]"


@cache
def hardware(provider: str, machine: str) -> Hardware:
    """Return the hardware of a machine type, with a default for what is unknown."""
    if provider == "azure":
        return azure_hardware(machine)
    if provider == "gcp":
        series, cpus, memory = gce_machines()[machine]
        return Hardware(cpus, memory, details=key_values(Series=series))
    if machine not in INSTANCE_TYPES:
        return Hardware(architecture="", details=key_values(instanceType=machine))
    size, facts = INSTANCE_TYPES[machine], INSTANCE_TYPES[machine]["extra"]
    architecture = "arm64" if "Graviton" in facts["physicalProcessor"] else "x86_64"
    cards = int(facts.get("gpu", 0))
    memory_of_cards = re.match(r"\d+", facts["gpuMemory"])  # the sum of all cards, or NA
    card_memory = int(memory_of_cards[0]) / cards if cards and memory_of_cards else 0
    disk = size["disk"] or -1
    details = key_values(**facts)
    return Hardware(
        int(facts["vcpu"]), size["ram"] / 1024, disk, architecture, cards, card_memory, details
    )


def azure_hardware(machine: str) -> Hardware:
    """Return the hardware of a machine type of Azure.

    libcloud has data of the older series; the names of newer ones tell only the vCPUs.
    """
    series, size = re.match(r"[A-Z][a-z]+_([A-Z]+)(\d+)", machine).groups()
    version = int((re.search(r"_v(\d)", machine) or [0, 1])[1])
    details = key_values(Series=series, Version=version)
    if version >= {"A": 2, "D": 3, "DS": 3, "G": 3, "GS": 3}.get(series, 1):
        return Hardware(int(size), details=details)
    known = AZURE_COMPUTE_INSTANCE_TYPES.get(series[0] + size, {"cores": 0, "ram": 0, "disk": -1})
    cpus = 1 if known["cores"] == "Shared" else known["cores"]
    return Hardware(cpus, known["ram"] / 1024, known["disk"], details=details)


# --- rows: tuples in the order of the columns in SCHEMA ---


def spread(items: Sequence[Offer], wanted: int) -> Iterator[tuple[Offer, int]]:
    """Yield ``wanted`` items, each with a copy number.

    If there are enough items, they are picked evenly and the copy number is 0. If not, all items
    are repeated, with the copy numbers 0, 1, 2, ….
    """
    for number in range(wanted):
        if wanted <= len(items):
            yield items[number * len(items) // wanted], 0
        else:
            yield items[number % len(items)], number // len(items)


def region_row(provider: str, region: str) -> tuple:
    """Return a row of region_info."""
    latitude, longitude, name = places().get(region, (None, None, region))
    zones = {"aws": [region + zone for zone in "abc"], "azure": ["1", "2", "3"]}
    default = [f"{region}-{zone}" for zone in "abc"]
    return provider, region, name, latitude, longitude, as_json(zones.get(provider, default))


def spec_row(offer: Offer, copy: int) -> tuple:
    """Return a row of spec_info; ``copy`` is 0 for a real machine type, else its number."""
    provider, region, machine = offer.provider, offer.region, copied_name(offer.machine, copy)
    identity = f"{provider}+{region}+{machine}"
    known = hardware(provider, offer.machine)
    latitude, longitude, _ = places().get(region, (None, None, region))
    description = f"generated sample spec, after {offer.machine}" if copy else ""
    return (
        *(identity, uid(identity), machine, identity),
        *("system", f"{provider}-{region}", provider, region, latitude, longitude),
        *("vm", known.architecture, "", known.cpus, known.memory, known.disk, 0, 0),
        *("", known.accelerators, known.accelerator_memory, "gpu" if known.accelerators else ""),
        *(offer.price, description, 0, "", *[-1] * 10),
        *("", "-1", "[]", False, "auto-gen", known.details),
    )


def price_row(offer: Offer, copy: int, updated: datetime) -> tuple:
    """Return a row of pricing_info; ``copy`` is 0 for a real price, else its number."""
    machine = copied_name(offer.machine, copy)
    details = as_json({"source": "generated sample price" if copy else "apache-libcloud"})
    return (*offer[:2], machine, offer.system, offer.purchase, "USD", offer.price, updated, details)


def image_row(number: int, regions: Sequence[tuple[str, str]], updated: datetime) -> tuple:
    """Return a row of image_info: generated image ``number``, created before ``updated``."""
    digits = digest(f"image {number}")
    provider, region = pick(regions, digits[:8])
    system = pick(IMAGE_SYSTEMS, digits[8:12])
    platform, disk = ("Windows", 30) if system.startswith("Windows") else ("Linux/UNIX", 8)
    architecture = "arm64" if digits[12] in "012345" else "x86_64"
    name = f"generated-sample-image/{system.lower().replace(' ', '-')}-{architecture}-{number:07}"
    description = f"{system} for {architecture}, generated sample image"
    image_id = f"ami-{digits[20:37]}" if provider == "aws" else name
    creation = updated - timedelta(minutes=int(digits[13:18], 16))
    created = creation.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    volumes = [volume(number, letter, disk) for letter in "abcdefg"[: 1 + int(digits[19], 16) // 3]]
    details = key_values(
        **IMAGE_DETAILS,
        Architecture=architecture,
        BlockDeviceMappings=f"[{','.join(volumes)},{INSTANCE_STORES}]",
        CreationDate=created,
        DeprecationTime=f"{int(created[:4]) + 2}{created[4:]}",
        Description=description,
        ImageId=image_id,
        ImageLocation=f"generated/{name}",
        Name=name,
        OwnerId=int(digits[54:63], 16),
        PlatformDetails=platform,
        SourceImageId=f"ami-{digits[37:54]}",
    )
    return (
        *("image", "system", provider, image_id, as_json([region])),
        *(f"{provider}+{image_id}", uid(name), name, image_id, "", ""),
        *(f"{provider}-{region}", "vm", updated.isoformat(), created),
        *(digits[63] in "01", digits[63] == "2", digits[63] in "3456"),
        *(system, architecture, platform, f"{system} (generated)", "ebs", disk),
        *("Available", details, "", description, "[]"),
    )


def volume(number: int, letter: str, gigabytes: int) -> str:
    """Return a volume of an image in EC2's form, with its own snapshot."""
    snapshot = digest(f"volume {number} {letter}")[:17]
    ebs = "DeleteOnTermination:true,Encrypted:false,Iops:3000,KmsKeyId:null,OutpostArn:null"
    ebs += f",SnapshotId:snap-{snapshot},Throughput:125,VolumeSize:{gigabytes},VolumeType:gp3"
    return f"{{DeviceName:/dev/sd{letter}1,Ebs:{{{ebs}}},NoDevice:null,VirtualName:null}}"


@cache
def places() -> dict[str, tuple[float, float, str]]:
    """Return latitude, longitude and place name of each region in PLACES."""
    found = {}
    for place in PLACES.split(";"):
        where, regions = place.split(":")
        latitude, longitude, name = where.split(maxsplit=2)
        found |= dict.fromkeys(regions.split(), (float(latitude), float(longitude), name))
    return found


def copied_name(machine: str, copy: int) -> str:
    """Return the name of a copy of a machine type: the same for copy 0, else marked generated."""
    return f"{machine}.generated-{copy}" if copy else machine


def key_values(**values: object) -> str:
    """Return details in CB-Tumblebug's form: a JSON list of keys and values."""
    return as_json([{"key": key, "value": str(value)} for key, value in values.items()])


def uid(text: str) -> str:
    """Return a unique ID in CB-Tumblebug's form, always the same for the same text."""
    return "tb" + digest(text)[:18]


def digest(text: str) -> str:
    """Return 64 hexadecimal digits that look random, always the same for the same text."""
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def pick(choices: Sequence, digits: str) -> object:
    """Return the choice that hexadecimal digits select."""
    return choices[int(digits, 16) % len(choices)]
