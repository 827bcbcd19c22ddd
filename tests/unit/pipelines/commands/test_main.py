"""What `quillflow` says of a command line it does not understand."""

import pytest

from pipelines.commands.main import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evalute"], "no command 'evalute'; did you mean evaluate?"),
        (["artifacts", "lss"], "no action 'lss'; did you mean ls?"),
        (["run", "--runner", "dokcer"], "--runner: no 'dokcer'; did you mean docker?"),
        (["run", "text.txt"], "unrecognized arguments: text.txt; quillflow run --help lists them"),
        (["complete", "Once", "--temprature", "1"], "--temprature 1; did you mean --temperature?; quillflow complete"),
        (
            ["train", "--dataset"],
            "argument --dataset: expected one argument; quillflow train --help",
        ),
        (["recipes", "quikc"], "no recipe 'quikc'; did you mean quick? (a file's name ends in .yaml)"),
    ],
)
def test_it_names_what_is_near(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
