"""Checks a configuration: what is wrong in the file, and whether its lines and zones can count.

Every finding stands on a line of its own, `file:line: level: what; hint`, all at once. An error would give wrong
numbers or none; a warning gives worse ones; a note is for you to know.

  passerby check shop.toml                  errors and warnings, and for each line which way is in
  passerby check shop.toml --explain        the same, with a sketch of each camera's view
  passerby check shop.toml --strict         warnings count too (exit 1)
  passerby check --keys                     every key there is: type, limits, unit, default, meaning
  passerby check --from-spatial-analysis deployment.json > shop.toml
                                            the configuration of a retired Spatial Analysis container, as ours

How tall people are in the view decides whether a line can be cleared: say it with person_height_share in [[camera]].
Exit codes: 0 good, 1 warnings with --strict, 2 errors.
"""

from __future__ import annotations

import argparse
import sys

import msgspec

from firmware.commands.config_file import BYTES_MAX, read_text
from firmware.commands.remarks import LEVELS, Remark, geometry_remarks, remarks_of
from firmware.config import Examined, examine
from firmware.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help='the configuration; "-" reads standard input')
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--explain", action="store_true", help="draw each camera's view, with arrows that show which way is in")
    parser.add_argument("--strict", action="store_true", help="exit 1 when there are warnings")
    parser.add_argument(
        "--aspect", type=_aspect, metavar="W:H", help="shape of the picture (default 4:3 for cameras on the board and sim:, else 16:9)"
    )
    parser.add_argument("--keys", action="store_true", help="print every key of the configuration, and stop")
    theirs = parser.add_argument_group("Spatial Analysis")
    theirs.add_argument(
        "--from-spatial-analysis",
        metavar="FILE",
        help="read a SPACEANALYTICS_CONFIG, or a deployment manifest that holds some, and print the configuration it becomes",
    )
    theirs.add_argument(
        "--width-px",
        type=_width,
        default=640,
        metavar="N",
        help="width of the frame that thresholds in pixels refer to (default 640; later 512)",
    )
    theirs.add_argument(
        "--threshold-means",
        choices=("auto", "confidence", "pixels", "ratio"),
        default="auto",
        help="what `threshold` meant when the file was written: confidence (2020), pixels (2021), ratio of the width (2022 on); "
        "auto decides for each, and says how",
    )


def run(args: argparse.Namespace) -> int:
    if args.keys:
        from firmware.config_reference import reference

        print(reference(), end="")
        return 0
    if args.from_spatial_analysis is not None:
        return _convert(args)
    if args.file is None:
        raise ConfigError("no configuration given", "try: passerby check examples/door.toml, or passerby check --help")
    return _check(args, read_text(args.file))


def _check(args: argparse.Namespace, text: str) -> int:
    examined = examine(text)
    remarks = remarks_of(examined, args.aspect)
    counts = {level: sum(remark.level == level for remark in remarks) for level in LEVELS}
    if args.json:
        _print_json(args, examined, remarks, counts)
    else:
        _print_text(args, examined, remarks, counts)
    if counts["error"]:
        return ConfigError.exit_code
    return 1 if args.strict and counts["warning"] else 0


def _print_text(args: argparse.Namespace, examined: Examined, remarks: list[Remark], counts: dict[str, int]) -> None:
    from firmware.analytics.view_geometry import aspect_of
    from firmware.analytics.view_sketch import line_words, sketch, zone_words

    name = args.file
    for remark in remarks:
        print(remark.text(name), file=sys.stderr if remark.level == "error" else sys.stdout)
    for camera in examined.config.camera if examined.config is not None else ():
        aspect = args.aspect or aspect_of(camera)
        if args.explain:
            print(f"\ncamera {camera.name}")
            _say(sketch(camera, aspect, ascii_only=not _draws_boxes()))
        else:
            for words in [line_words(line, aspect) for line in camera.line] + [zone_words(zone, camera, aspect) for zone in camera.zone]:
                _say(words)
    _say(f"{name}: " + (", ".join(f"{count} {level}{'s' * (count > 1)}" for level, count in counts.items() if count) or "good"))


def _print_json(args: argparse.Namespace, examined: Examined, remarks: list[Remark], counts: dict[str, int]) -> None:
    from firmware.analytics.view_geometry import aspect_of, compass, normal_to_in

    cameras = examined.config.camera if examined.config is not None else ()
    report = {
        "file": args.file,
        "good": not counts["error"],
        "errors": counts["error"],
        "warnings": counts["warning"],
        "notes": counts["note"],
        "findings": [remark._asdict() for remark in remarks],
        "cameras": [
            {
                "name": camera.name,
                "lines": [
                    {"name": line.name, "in": line.in_side, "in_is": compass(*normal_to_in(line, args.aspect or aspect_of(camera)))}
                    for line in camera.line
                ],
                "zones": [{"name": zone.name, "kind": zone.kind, "service_side": zone.service_side} for zone in camera.zone],
            }
            for camera in cameras
        ],
    }
    print(msgspec.json.encode(report).decode())


def _convert(args: argparse.Namespace) -> int:
    from firmware.spatial_analysis import Reading, from_spatial_analysis

    name = args.from_spatial_analysis
    reading = Reading(width_px=args.width_px, threshold_means=args.threshold_means, aspect=args.aspect or 16 / 9)
    text = from_spatial_analysis(read_text(name, BYTES_MAX), name, reading)
    remarks = [remark for remark in geometry_remarks(examine(text), reading.aspect) if remark.level != "note"]
    if args.json:
        print(msgspec.json.encode({"file": name, "toml": text, "findings": [remark._asdict() for remark in remarks]}).decode())
    else:
        _say(text.rstrip("\n"))
        for remark in remarks:
            print(remark.text("converted"), file=sys.stderr)
    return 1 if args.strict and remarks else 0


def _draws_boxes() -> bool:
    try:
        "→─·═".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _say(text: str) -> None:
    """Print, whatever the terminal's encoding can show."""
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _aspect(text: str) -> float:
    wide, colon, high = text.partition(":")
    try:
        value = float(wide) / float(high) if colon else float(wide)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a shape; write it like 16:9 or 4:3") from error
    if not 0.2 <= value <= 5:
        raise argparse.ArgumentTypeError(f"{text!r} is not the shape of a picture; write it like 16:9 or 4:3")
    return value


def _width(text: str) -> int:
    if not text.isdecimal() or not 64 <= int(text) <= 16384:
        raise argparse.ArgumentTypeError(f"{text!r} is not a width in pixels from 64 to 16384")
    return int(text)
