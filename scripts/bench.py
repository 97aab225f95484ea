#!/usr/bin/env python3
"""Measures the command beside the real sops: CPU time and peak memory of the same work, as ratios sops/ours.

usage: bench.py --bin PROGRAM --sops PROGRAM [--runs 3] [--only WORD]

Prints one table, with the goal of each row, and how our CPU time grows up to a million values. Of several runs the median
counts, the two programs taking turns. Nothing fails here: what a machine measures is for people to judge.
"""
import argparse, os, random, shutil, statistics, subprocess, sys, tempfile

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--bin", required=True)
parser.add_argument("--sops", required=True)
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--only", default="", help="only rows whose name holds this word")
options = parser.parse_args()

chance = random.Random(7)
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def word(length):
    return "".join(chance.choices(LETTERS, k=length))


def write_yaml(name, values):
    """Groups of ten: texts, numbers, booleans, texts with a comment beside."""
    with open(name, "w") as file:
        for group in range(values // 10):
            file.write(f"group{group:06}:\n")
            for number in range(10):
                value = (word(16), str(chance.randrange(10**6)), "true", word(8) + " # note")[number % 4]
                file.write(f"  key{number}: {value}\n")


def write_json(name, keys):
    with open(name, "w") as file:
        lines = (f'\t"key{number:06}": "{word(16)}"' for number in range(keys))
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


def write_bytes(name, mebibytes):
    with open(name, "wb") as file:
        for _ in range(mebibytes):
            file.write(chance.randbytes(1 << 20))


def run(program, arguments, output=os.devnull):
    """CPU seconds and peak MiB of one run. This program stays small, since a child's peak begins at its parent's."""
    with open(output, "wb") as out:
        child = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.PIPE, env=ENVIRONMENT)
        messages = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit(f"{program} {' '.join(arguments)}: {messages.decode(errors='replace')[:400]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def median(runs):
    return [statistics.median(run[number] for run in runs) for number in (0, 1)]


def row(name, arguments, cpu_goal=None, memory_goal=None, note=None):
    if options.only not in name:
        return
    theirs, ours = [], []
    for _ in range(options.runs):
        theirs.append(run(options.sops, arguments))
        ours.append(run(options.bin, arguments))
    (their_cpu, their_memory), (our_cpu, our_memory) = median(theirs), median(ours)
    cpu, memory = their_cpu / max(our_cpu, 1e-4), their_memory / our_memory
    goals = [f"{what} >= {goal}{'' if is_met else ' MISSED'}" for what, goal, is_met in
             (("cpu", cpu_goal, cpu_goal and cpu >= cpu_goal), ("memory", memory_goal, memory_goal and memory >= memory_goal))
             if goal]
    if note:
        goals.append(note(our_cpu, our_memory))
    print(f"{name:22} {their_cpu:9.3f} s {their_memory:8.1f} MiB {our_cpu:9.4f} s {our_memory:8.1f} MiB"
          f" {cpu:8.1f} {memory:8.1f}  {', '.join(goals)}", flush=True)


def files_row(verb, flags, sealed, count, goal):
    """A thousand files: in one process of ours, and in one process each, since sops takes one file at a time."""
    name = f"{verb} {count} files"
    if options.only not in name:
        return
    files = {}
    for who in ("theirs", "ours"):
        os.makedirs(f"{verb}-{who}")
        files[who] = [f"{verb}-{who}/{number:04}.yaml" for number in range(count)]
        for file in files[who]:
            shutil.copy(sealed, file)
    theirs = [run(options.sops, [verb, *flags, file]) for file in files["theirs"]]
    our_cpu, our_memory = run(options.bin, [verb, *flags, *files["ours"]])
    their_cpu, their_memory = sum(cpu for cpu, _ in theirs), max(memory for _, memory in theirs)
    before = open(sealed, "rb").read()
    for file in files["theirs"] + files["ours"]:
        if open(file, "rb").read() == before:
            sys.exit(f"{file} is as it was: nothing was measured")
    cpu = their_cpu / our_cpu
    print(f"{name:22} {their_cpu:9.3f} s {their_memory:8.1f} MiB {our_cpu:9.4f} s {our_memory:8.1f} MiB"
          f" {cpu:8.1f} {their_memory / our_memory:8.1f}  cpu >= {goal}{'' if cpu >= goal else ' MISSED'}", flush=True)


def growth(sizes):
    if options.only not in "growth":
        return
    print("\nOur CPU time a value, in microseconds: level when it grows linearly")
    for values in sizes:
        name = f"grow{values}.yaml"
        write_yaml(name, values)
        sealed = f"sealed-{name}"
        encrypt = median([run(options.bin, ["encrypt", "--age", RECIPIENT, name], sealed) for _ in range(options.runs)])
        decrypt = median([run(options.bin, ["decrypt", sealed]) for _ in range(options.runs)])
        print(f"{values:9} values: encrypt {encrypt[0] / values * 1e6:6.2f} ({encrypt[1]:7.1f} MiB),"
              f" decrypt {decrypt[0] / values * 1e6:6.2f} ({decrypt[1]:7.1f} MiB)", flush=True)


def at_most(what, limit, unit, pick):
    def told(*measured):
        value = pick(*measured)
        return f"{what} {value:.1f} {unit} <= {limit}{'' if value <= limit else ' MISSED'}"
    return told


folder = tempfile.mkdtemp()
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": folder, "SOPS_AGE_KEY_FILE": f"{folder}/key.txt",
               "SOPS_DISABLE_VERSION_CHECK": "1"}
options.bin, options.sops = map(os.path.abspath, (options.bin, options.sops))
try:
    os.chdir(folder)
    subprocess.run(["age-keygen", "-o", "key.txt"], check=True, capture_output=True)
    RECIPIENT = next(line.split()[-1] for line in open("key.txt") if "public key" in line)
    print(f"{'':22} {'sops':>24} {'ours':>24} {'cpu':>8} {'memory':>8}  goal")
    write_yaml("small.yaml", 10)
    run(options.sops, ["encrypt", "--age", RECIPIENT, "small.yaml"], "sealed-small.yaml")
    row("start-up", ["decrypt", "sealed-small.yaml"],
        note=at_most("cpu", 3, "ms", lambda cpu, _: cpu * 1000))
    for values in (1_000, 100_000):
        name = f"{values}.yaml"
        write_yaml(name, values)
        goals = (20, 5) if values == 100_000 else (None, None)
        row(f"yaml {values} encrypt", ["encrypt", "--age", RECIPIENT, name], *goals)
        run(options.sops, ["encrypt", "--age", RECIPIENT, name], f"sealed-{name}")
        row(f"yaml {values} decrypt", ["decrypt", f"sealed-{name}"], *goals)
    write_json("flat.json", 10_000)
    row("json 10000 encrypt", ["encrypt", "--age", RECIPIENT, "flat.json"], 200)
    run(options.sops, ["encrypt", "--age", RECIPIENT, "flat.json"], "sealed-flat.json")
    row("json 10000 decrypt", ["decrypt", "sealed-flat.json"], 200)
    write_bytes("bytes.bin", 100)
    binary = ["--input-type", "binary", "--output-type", "binary"]
    run(options.sops, ["encrypt", "--age", RECIPIENT, *binary, "bytes.bin"], "sealed.bin")
    size = os.path.getsize("bytes.bin") / (1 << 20)
    row("binary 100 MiB encrypt", ["encrypt", "--age", RECIPIENT, *binary, "bytes.bin"])
    row("binary 100 MiB decrypt", ["decrypt", *binary, "sealed.bin"], 8,
        note=at_most("memory", 3, "times the file", lambda _, memory: memory / size))
    # from here on this rule is found
    subprocess.run(["age-keygen", "-o", "other.txt"], check=True, capture_output=True)
    other = next(line.split()[-1] for line in open("other.txt") if "public key" in line)
    with open(".sops.yaml", "w") as file:
        file.write(f"creation_rules:\n  - age: {RECIPIENT},{other}\n")
    files_row("rotate", ["-i"], "sealed-small.yaml", 1_000, 50)
    files_row("updatekeys", ["-y"], "sealed-small.yaml", 1_000, 50)
    os.remove(".sops.yaml")
    growth((10_000, 100_000, 300_000, 1_000_000))
finally:
    os.chdir("/")
    shutil.rmtree(folder)
