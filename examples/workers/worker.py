"""Counts the words of a message {"text": "..."} and stores the number under the id of the message.

Exit codes: 0 done, 1 try again, 2 never try again.
"""
import hashlib
import json
import os
import signal
import sys
import time


def main() -> int:
    # As PID 1 of a container a program without a handler does not hear SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with open(os.environ.get("MESSAGE_FILE", "/job-chief/message"), "rb") as file:
        body = file.read()
    try:
        text = json.loads(body)["text"]
        words = len(text.split())
    except (ValueError, KeyError, TypeError, AttributeError):
        print("the message has no text", file=sys.stderr)
        return 2

    # The id is any text: it is no file name before it is hashed.
    key = hashlib.sha256(os.environ["JOB_CHIEF_MESSAGE_ID"].encode()).hexdigest()[:32]
    result = os.path.join(os.environ.get("RESULTS", "/results"), key)
    if not os.path.exists(result):  # else a Job before this one got that far
        time.sleep(float(os.environ.get("WORK_SECONDS", "0")))
        temporary = f"{result}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(str(words))
        os.replace(temporary, result)  # whole or not at all

    with open(os.environ["JOB_CHIEF_OUTPUT"], "w", encoding="utf-8") as file:
        json.dump({"words": words}, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
