"""Java programs with Apache Arrow's JDBC driver for Flight SQL, whose jar is fetched once into the user's Maven repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

DRIVER_VERSION = "18.3.0"
REPOSITORY = Path.home() / ".m2" / "repository"
JAR = REPOSITORY / "org/apache/arrow/flight-sql-jdbc-driver" / DRIVER_VERSION / f"flight-sql-jdbc-driver-{DRIVER_VERSION}.jar"
FETCH_SECONDS = 240
RUN_SECONDS = 180

Sections = dict[str, list[str]]


def java_command(program: Path, uri: str) -> list[str]:
    """What runs a program of one file with the JDBC address of a server. Skips the test without Java, Maven or a registry."""
    url = uri.replace("grpc:", "jdbc:arrow-flight-sql:") + "?useEncryption=false"
    options = ["--add-opens=java.base/java.nio=ALL-UNNAMED", "-Duser.timezone=UTC", "-Dfile.encoding=UTF-8", "-cp", str(driver_jar())]
    return ["java", *options, str(program), url]


def sections(program: Path, uri: str, *arguments: str) -> Sections:
    """What a program prints for a server and the other arguments, by section; each begins with a line ``== NAME``."""
    ended = subprocess.run([*java_command(program, uri), *arguments], capture_output=True, encoding="utf-8", timeout=RUN_SECONDS)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("== end\n"), ended.stderr
    assert "FAILED" not in ended.stdout, ended.stdout + ended.stderr
    pieces = [piece.splitlines() for piece in ended.stdout.split("== ")[1:]]
    return {name: lines for name, *lines in pieces}


def driver_jar() -> Path:
    """The driver, fetched where it is not there. Skips the test without Java, Maven or a registry."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not JAR.is_file():
        goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:get"
        artifact = f"-Dartifact=org.apache.arrow:flight-sql-jdbc-driver:{DRIVER_VERSION}"
        try:
            subprocess.run(
                ["mvn", "-q", "-B", goal, artifact, "-Dtransitive=false"], capture_output=True, timeout=FETCH_SECONDS, check=True
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("Maven cannot fetch the JDBC driver")
    return JAR
