"""Every bound of the library and of the page, as a named constant with its reason.

Imports nothing. A bound that a person can meet is quoted, with the value found, in the error that they read.
"""

QUERY_MAX_CHARS = 500
"""A question typed by a person; far below the 512 tokens at which a cross-encoder starts to cut."""

PASSAGE_MAX_CHARS = 20_000
"""Longer than any model here reads (about 512 tokens): a longer text is a file pasted by mistake."""

RETRIEVE_K_MIN, RETRIEVE_K_MAX, RETRIEVE_K_DEFAULT = 5, 100, 50
"""N on the page: below 5 there is nothing to reorder, above 100 a laptop takes more than a second or two."""

LIBRARY_RETRIEVE_K_MAX = 1000
"""N in the library: the depth that rerankers are commonly measured at."""

TOP_K_MIN, TOP_K_MAX, TOP_K_DEFAULT = 3, 10, 5
"""K on the page: from the depth of the headline figure to what fits a screen."""

TAIL = 20
"""How many doc_ids after the N candidates are kept, so that a figure at depth 3 or 10 is defined for any N."""

BATCH_TOKENS = 640
"""Tokens a forward pass, padding counted, until a size was measured: 8 ordinary pairs, which stay in the caches."""

BATCH_TRIALS = (256, 512, 1024, 2048)
"""Tokens of the forward passes that are tried at the start, 4 to 32 ordinary pairs: about a second in all."""

TURN_MS = 150.0
"""The longest forward pass that is chosen: whoever else asks waits for it."""

CACHE_PASSAGES = 10_000
"""Tokenised passages kept: about 5 MB, several libraries."""

ENCODE_BATCH = 16
"""Passages a forward pass while a corpus is encoded; between two batches others have their turn."""

CACHE_PAIRS = 20_000
"""Scores kept: about 10 MB, the 50 candidates of 400 queries."""

CACHE_QUERIES = 2_000
"""Query vectors kept: 3 MB at 384 dimensions."""

KEPT_CORPORA = 2
"""Corpora that an engine keeps of those it was given as plain lists, so that asking twice encodes once."""

MAX_WAIT_S = 45.0
"""Expected wait beyond which a reranking is refused: 60 people of a class who all commit a query of their own in
the same second are about 60 x 50 pairs x 13 ms = 39 s of work."""

FIRST_MS_PER_PAIR = 20.0
"""Expected milliseconds a pair until the first measurement."""

HEARTBEAT_S = 0.5
"""The longest time between two signs of life of a reranking; also how soon a leaver is noticed."""

WORKER_IDLE_S = 10.0
"""After this long without work the worker thread ends; the next request starts another."""

MODELS_IN_MEMORY = 2
"""Models of each kind held at once: two of about 100 MB to 1.1 GB each fit a small machine."""

HUB_TIMEOUT_S = 10.0
"""How long the Hugging Face hub may take to answer before the page says that it cannot be reached."""

HUB_STALL_S = 60.0
"""How long a download may stand still before it is given up: a slow line still sends something in a minute."""

HUB_MODEL_BYTES = 2 * 1024**3
"""Files of one model that are fetched: the largest on the list has 1.1 GB, and more would not be read on a CPU."""

HUB_DISK_LEFT_BYTES = 1024**3
"""Disk that a download leaves free: other people's files need room too."""

MODEL_NAME_CHARS = 200
"""A model's name or folder, where the operator permits any; the hub's own names have 96 characters at most."""

MODELS_PREPARED = 6
"""Models that are fetched or loaded at the same time for whoever asked; more are asked to come again."""

KEPT_LIBRARIES = 3
"""Bi-encoders, the embedded one apart, whose vectors of the library are kept: 1 to 3 MB each."""

MAX_BODY_BYTES = 256 * 1024
"""Bodies above are refused before they are parsed; the largest honest one (a trace) is about 100 KB."""

QUEUE_SIZE = 512
"""Requests that may queue for the page's handlers: a lecture hall, and no more."""

PAGE_CONCURRENCY = 64
"""Page events handled at once: they mostly wait for the one model, which is fair between them by itself."""

SILENT_SHARE = 5.0
"""After a sign of progress that took t seconds to send, none for five times as long: signs take at most a sixth of the
server's time, however many wait."""

CROWD, CROWD_QUIET_S = 8, 1.0
"""From so many readings at a time on, one that ends within a second comes without a sign before it: a sign has the
whole answer sent twice, and 200 visitors of a lecture would wait for that."""

KEPT_LISTS = 300
"""Lists of the library's own queries kept as HTML, 50 KB each at most: 15 MB for all visitors together."""

API_CONCURRENCY = 4
"""API calls handled at once: each may bring 100 passages to encode, and the page's visitors come first."""

API_PASSAGES_MAX = 100
"""Texts in one API call: as many as the largest shortlist."""

API_QUERIES_MAX = 20
"""Judged queries in one API call: with 100 passages and their grades a request is still under its bound."""

API_EVALUATE_PAIRS = 1_000
"""Pairs that one evaluating call may have read: about 13 s of the model, in turns with everybody else."""

API_MODEL_WAIT_S = 600.0
"""How long an API call waits for a model that it names to be fetched and loaded: 1.1 GB on a line of 15 Mbit/s."""

LOAD_WAIT_S = 120.0
"""How long a page waits for the models; they load in about 5 s, on a busy small machine in under a minute."""

ROUNDS_KEPT = 500
"""Scored rounds kept in a visitor's browser: more than anyone plays, 60 KB at most."""

SESSIONS = 500
"""Sessions whose component values Gradio keeps in memory: its own default of 10,000 can grow by over 100 MB."""

COMPRESS_FROM_BYTES = 1_024
"""Responses from this size on are compressed: below, the header costs more than it saves."""

HASHED_AGE_S = 365 * 24 * 3600
"""Cache time of files whose name changes with their content."""

STATIC_AGE_S = 3600
"""Cache time of fonts and style sheets whose name stays: a class of one hour fetches them once."""

KEPT_POOLS = 200
"""Pools of 100 pairs that the page keeps, so that moving N calls no model: 20 KB each, more than a library has."""

BUDGET_MS_MAX = 60_000
"""The largest latency budget in milliseconds: a minute, longer than anybody waits for a search."""

OWN_FILE_BYTES = 5 * 1024 * 1024
"""A visitor's own file: 2,000 passages of 2,000 characters are 4 MB, and a little room."""

OWN_PASSAGES = 2_000
"""Passages of a visitor's own: more than a person reads, few enough to be encoded in turns with everybody else."""

OWN_CHARS = 2_000
"""Characters of a visitor's passage: about the 512 tokens that a cross-encoder reads; longer ones are to be split."""

SPLIT_CHARS, SPLIT_OVERLAP = 900, 120
"""Characters of a piece, and of what it repeats of the one before: a piece is what the bi-encoder reads whole (256
tokens), and about a sentence is repeated, so that nothing is torn from what it refers to."""

OWN_HELD_S = 3600.0
"""How long a visitor's own passages are kept, used or not: an exercise of one lesson."""

OWN_HELD_BYTES = 256 * 1024 * 1024
"""Memory for all visitors' own passages, vectors and scores together: about 25 of the largest kind, or a class of
ordinary ones; the oldest go first."""

OWN_PAIRS = 4_000
"""Scores kept for one visitor's own passages: 80 queries at N = 50."""

OWN_QUERIES = 20
"""Queries over one's own passages whose lists are kept, that can be judged, and that a scenario may hold."""

OWN_TITLE_CHARS, OWN_WORDS_CHARS = 80, 4_000
"""Characters of a scenario's title, and of its lesson and note: a heading, and a page."""

OWN_ENCODING = 6
"""Visitors whose own passages are encoded at the same time: each holds up to 10 MB while it waits for its turns."""

UPLOAD_EXTRA_BYTES = 4_096
"""What a browser puts around an uploaded file: boundaries and headers."""

UPLOADS_BYTES = 64 * 1024 * 1024
"""Uploaded files that may lie on the disk together: each goes as soon as it is read, so there are seldom any."""

UPLOAD_AGE_S = 600
"""An uploaded file that nobody asked to read is deleted after this."""

PASTE_BYTES = 160 * 1024
"""Pasted text that fits into a request beside everything else; a longer paste travels as a file."""

ZIP_ENTRIES = 16
"""Entries of a scenario zip: a folder, two files, and what an operating system adds of its own accord."""

ZIP_TOML_BYTES = 512 * 1024
"""scenario.toml unpacked: twenty queries with two hundred judgements each are under 100 KB."""

ZIP_RATIO = 200
"""How far an entry may be packed: the library's passages pack 3 times, equal lines 30 times, a bomb 1,000 times."""

EVALUATE_RETRIEVE_K, EVALUATE_TOP_K = 100, 10
"""N and K of an evaluation where none are given: those that rerankers are commonly measured at."""

LINE_BYTES = 16 * 1024 * 1024
"""A line of a judged set's files: a book; a longer one is a file without line ends."""

ID_CHARS = 512
"""An id in a judged set: some are addresses; a longer one is a text in the wrong place."""

GRADE_MAX = 10
"""The highest grade of relevance in a judged set: its gain, 2^grade - 1, is 1,023, far above any scale in use."""

CACHE_GB = 4.0
"""Disk in GiB for vectors and kept scores of evaluations: 2.7 million vectors of 384 numbers."""

ENCODE_WINDOW = 2_048
"""Passages in memory at once while a corpus is encoded from a file: enough to sort by length, 40 MB at most."""

SEARCH_ROWS = 16_384
"""Rows of stored vectors in one step of a search: 25 MB at 384 dimensions."""

EXACT_MAX = 100_000
"""Distinct texts that a search compares one by one: 5 to 10 ms, where reading 100 pairs takes 400 and more."""

INDEX_ROWS = 16_384
"""Rows in one step of building an index: 25 MB at 384 dimensions."""

RECALL_LEAST = 0.99
"""Of the 100 nearest passages, the share that an index must find to be used."""

REPORT_BYTES = 16 * 1024 * 1024
"""A report that is read back: 50,000 queries and their figures are about 10 MB."""

REPORT_CHANGES = 10
"""Losses, and gains, that a report shows with their texts: what a person reads."""

EXCERPT_CHARS = 600
"""Characters of a passage in a report: enough to judge it, and a report stays small."""

PROGRESS_S = 10.0
"""Seconds between two lines of progress where they go to a file; a terminal's one line is renewed at once."""

FOOLS_KEPT = 50
"""Passages that fooled a model, kept in a visitor's browser: more than an hour's work."""

FOOLS_BYTES = 96 * 1024
"""Bytes of them as JSON: they travel with "Keep" and "Remove", in a request of at most MAX_BODY_BYTES."""
