"""The questions, one for each page, in the order in which they are asked.

In: nothing. Out: ``QUESTIONS``. Particulars are columns of the person; the rest are answers, each
kept in versions. Nothing but a name must be answered, and no answer decides anything by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from sojourn_web.cases.applicant.languages import words

PARTICULARS = "about"


@dataclass(frozen=True)
class Question:
    """``kind``: line, lines, choice or date. ``choices``: the value kept and its phrase.
    ``picture``: a drawing, for who reads little."""

    section: str
    name: str
    asks: str
    hint: str = ""
    kind: str = "line"
    choices: tuple[tuple[str, str], ...] = ()
    picture: str = ""

    @property
    def particular(self) -> bool:
        return self.section == PARTICULARS

    @property
    def place(self) -> str:
        return f"{self.section}/{self.name}"


YES_NO = (("yes", words("Yes")), ("no", words("No")), ("unsure", words("I am not sure")),
          ("later", words("I want to talk about it first")))  # fmt: skip

QUESTIONS = (
    Question(
        PARTICULARS,
        "names",
        words("What is your name?"),
        words("One word or many, in any script, as you write it."),
        picture="person",
    ),
    Question(
        PARTICULARS,
        "birth_date",
        words("When were you born?"),
        words("Write only what you know. A year alone is enough, or nothing."),
        "date",
        picture="calendar",
    ),
    Question(
        PARTICULARS,
        "nationality",
        words("What is your nationality?"),
        words("The name of the country. You may have two, or none."),
        picture="flag",
    ),
    Question(
        PARTICULARS,
        "contact",
        words("How can we reach you safely?"),
        words("A telephone number or an address, and when it is safe. We never say why we call."),
        picture="phone",
    ),
    Question(
        "wishes",
        "why",
        words("What would you like to tell us about your wish to return?"),
        words("In your own words, in any language. You can leave it empty."),
        "lines",
        picture="talk",
    ),
    Question(
        "wishes",
        "when",
        words("When do you think of returning?"),
        "",
        "choice",
        (
            ("soon", words("In the next weeks")),
            ("later", words("Later this year")),
            ("unsure", words("I am not sure")),
            ("only_asking", words("I am only asking")),
        ),
        picture="clock",
    ),
    Question(
        "wishes",
        "company",
        words("Who would travel with you?"),
        words("Every adult decides alone. We ask each of them alone."),
        "choice",
        (
            ("alone", words("Nobody, I travel alone")),
            ("children", words("My children")),
            ("adults", words("Other adults")),
            ("both", words("Children and other adults")),
        ),
        picture="people",
    ),
    Question(
        "needs",
        "document",
        words("Do you have a passport or another travel document?"),
        "",
        "choice",
        YES_NO,
        picture="passport",
    ),
    Question(
        "needs",
        "claims",
        words("Do you have an application or an appeal that is not decided?"),
        words(
            "Returning can end it. Ask a lawyer who is independent first: it costs you nothing "
            "to ask."
        ),
        "choice",
        YES_NO,
        picture="law",
    ),
    Question(
        "needs",
        "pressure",
        words("Does anybody press you to return?"),
        words("If so, say it here or to a counsellor alone. We stop until you are free."),
        "choice",
        YES_NO,
        picture="stop",
    ),
    Question(
        "needs",
        "health",
        words("What should we know so that the journey is good for you?"),
        words("Health, a disability, a child, food, fear. Only what you want to say."),
        "lines",
        picture="heart",
    ),
)


# Asked with a child's name, on the page that adds it.
OF_A_CHILD = Question(
    "family",
    "belongs",
    words("Who are you to this child?"),
    "",
    "choice",
    (
        ("parent", words("Mother or father")),
        ("carer", words("Somebody else who looks after the child")),
        ("nobody", words("The child would travel without any of us")),
    ),
)


def known_question(section: str, name: str) -> Question | None:
    """A question of any of the person's pages, for those who read its answer."""
    asked = (*QUESTIONS, OF_A_CHILD)
    return next((q for q in asked if (q.section, q.name) == (section, name)), None)


def find_question(section: str, name: str) -> Question | None:
    """One that has a page of its own."""
    return next((q for q in QUESTIONS if (q.section, q.name) == (section, name)), None)


def next_question(question: Question) -> Question | None:
    """The one after; None after the last."""
    place = QUESTIONS.index(question) + 1
    return QUESTIONS[place] if place < len(QUESTIONS) else None


# As the services say them, for the catalogues.
TOLD = (
    words(
        "This date usually stands for 'unknown': leave unknown parts empty, or write the "
        "year alone. If a document shows it, confirm that."
    ),
    words("A birth date cannot lie in the future: look at the year."),
    words("This is asked while a journey is prepared: now there is none to come."),
    words("Everybody in the plan needs a name first: ask for it, or write what is known."),
    words("No consent before the legal information: finish the list first."),
    words("This case has ended: come back to it first."),
    words(
        "There is no reviewed wording in this language here: name the interpreter who read "
        "the reviewed one out."
    ),
    words(
        "A child is not added here to travel alone. Ask to be called: a counsellor looks for a "
        "guardian first, and for what is best for the child."
    ),
    words(
        "You are under 18, by the date that you wrote. Ask to be called: you get a guardian who "
        "speaks for you and your family."
    ),
    words(
        "By this date they are an adult. Adults decide for themselves: make an invitation for them."
    ),
    words(
        "Nobody can be added now. Ask to be called: your counsellor plans it anew with everybody."
    ),
    words("Write a name, as far as it is known."),
    words("The last consent is asked within the 24 hours before leaving."),
    words("A referral says that return is not safe: the case is stopped."),
    words("Expected 20,000 letters at most: say the rest in a file."),
    words("Expected a name of 200 letters at most, found more."),
)
