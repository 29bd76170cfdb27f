using System.Globalization;

namespace MLTransfer.Torch.Generation;

/// <summary>
/// How text is generated. Names in parentheses are those of Hugging Face's <c>GenerationConfig</c>; results and defaults are the same where
/// not said otherwise.
/// </summary>
/// <remarks>
/// <para>
/// A model sees at most its context length. A prompt that is longer loses its beginning, so that min(<see cref="MaximumNewTokens"/>, half
/// the context) positions are free. When generation has filled the context, the last half of it is read again as a new prompt, and
/// generation goes on (a sliding window); greedy search, sampling and beam search do so alike, each sequence by its own length. Penalties
/// and n-grams go by the whole sequence all the same, prompt included.
/// </para>
/// <para>
/// Where an encoder reads the prompt (T5, BART), a prompt that is longer than the encoder's context loses its end, but for the token that
/// ends it, and generation ends at the latest where the decoder's context does. Penalties, n-grams and lengths go by the decoder's tokens
/// alone. T5, which tells positions by distance, has contexts of 32,768 tokens.
/// </para>
/// </remarks>
public sealed record GenerationOptions
{
    /// <summary>The largest <see cref="BatchSize"/>.</summary>
    internal const int MostPrompts = 1 << 16;

    /// <summary>The largest <see cref="BeamCount"/>.</summary>
    internal const int MostBeams = 1024;

    /// <summary>The most tokens added to a prompt (<c>max_new_tokens</c>).</summary>
    public int MaximumNewTokens { get; init; } = 50;

    /// <summary>The number of new tokens before which no end-of-sequence token is chosen (<c>min_new_tokens</c>).</summary>
    public int MinimumNewTokens { get; init; }

    /// <summary>Whether tokens are drawn at random; else the most probable one is taken (<c>do_sample</c>).</summary>
    public bool Sample { get; init; }

    /// <summary>Divides the logits before sampling: below 1 makes likely tokens likelier (<c>temperature</c>).</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>
    /// Sampling chooses among this many most probable tokens, and those that tie with the last; 0 for all (<c>top_k</c>; off by default
    /// here, 50 in transformers).
    /// </summary>
    public int TopK { get; init; }

    /// <summary>
    /// Sampling chooses among the fewest most probable tokens whose probabilities reach this sum (<c>top_p</c>; arXiv 1904.09751). 1 for
    /// all.
    /// </summary>
    public double TopP { get; init; } = 1;

    /// <summary>
    /// Sampling leaves out tokens less probable than this share of the most probable token's probability (<c>min_p</c>; arXiv 2407.01082).
    /// </summary>
    public double MinP { get; init; }

    /// <summary>
    /// Sampling chooses among the tokens whose information is closest to the distribution's entropy, as many as have this probability
    /// together (<c>typical_p</c>; arXiv 2202.00666). 1 for all.
    /// </summary>
    public double TypicalP { get; init; } = 1;

    /// <summary>
    /// Logits of tokens that occur in the prompt or the continuation are divided by this if positive, else multiplied
    /// (<c>repetition_penalty</c>; arXiv 1909.05858). 1 for no penalty.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>
    /// No run of this many tokens occurs twice in prompt and continuation; 0 for no such rule (<c>no_repeat_ngram_size</c>).
    /// </summary>
    public int NoRepeatNgramSize { get; init; }

    /// <summary>
    /// The number of beams, up to 1024; 1 for no beam search (<c>num_beams</c>). Beam search with <see cref="Sample"/> is not supported.
    /// </summary>
    public int BeamCount { get; init; } = 1;

    /// <summary>
    /// A finished beam's score is the sum of its log-probabilities divided by (number of new tokens)^penalty: positive favours long
    /// sequences (<c>length_penalty</c>).
    /// </summary>
    public double LengthPenalty { get; init; } = 1;

    /// <summary>When beam search ends (<c>early_stopping</c>).</summary>
    public EarlyStopping EarlyStopping { get; init; }

    /// <summary>
    /// How many continuations a prompt gets (<c>num_return_sequences</c>): samples, or the best beams, then at most
    /// <see cref="BeamCount"/>.
    /// </summary>
    public int SequencesPerPrompt { get; init; } = 1;

    /// <summary>
    /// A sequence ends when its continuation contains one of these (<c>stop_strings</c>). They may span tokens, not the border between
    /// prompt and continuation. The text is cut before the stop string that is complete first; transformers leaves it in.
    /// </summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>
    /// The tokens that end a sequence (<c>eos_token_id</c>). Null: the model's <c>config.json</c> says, else the tokenizer. Empty: none
    /// does.
    /// </summary>
    public IReadOnlyList<int>? EndOfSequenceIds { get; init; }

    /// <summary>
    /// Decides what sampling draws; null for a new seed with each call. Every sequence draws from a random stream of its own, made from the
    /// seed, the prompt's tokens and the sequence's index, so a prompt's continuations do not depend on which other prompts there are.
    /// Equal prompts get equal continuations: ask for several with <see cref="SequencesPerPrompt"/>.
    /// </summary>
    public long? Seed { get; init; }

    /// <summary>
    /// How many prompts the model reads in one pass, up to 65,536. It changes speed and memory, not results (but for the rounding of
    /// floating-point sums).
    /// </summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>What was read of a checkpoint that these options began as.</summary>
    internal PublishedOptions Published { get; init; }

    /// <summary>
    /// The names of options that only sampling heeds and that the caller set, where <see cref="Sample"/> is off. What a checkpoint
    /// publishes beside a greedy default is no mistake of the caller's.
    /// </summary>
    internal IEnumerable<string> UnheededOptions() => UnheededOptions(Published.Options ?? new GenerationOptions());

    /// <summary>The same, of those that are not as usual.</summary>
    internal IEnumerable<string> UnheededOptions(GenerationOptions usual)
    {
        if (Sample)
            yield break;
        if (Temperature != usual.Temperature)
            yield return nameof(Temperature);
        if (TopK != usual.TopK)
            yield return nameof(TopK);
        if (TopP != usual.TopP)
            yield return nameof(TopP);
        if (MinP != usual.MinP)
            yield return nameof(MinP);
        if (TypicalP != usual.TypicalP)
            yield return nameof(TypicalP);
    }

    /// <summary>Reads <c>generation_config.json</c>, as published beside a model.</summary>
    /// <param name="folder">
    /// A folder in Hugging Face layout. Entries or a file that are missing leave this class's defaults. <c>max_length</c> and
    /// <c>min_length</c> are read where <c>config.json</c> says <c>is_encoder_decoder</c>: they count the decoder's start token too.
    /// </param>
    /// <returns>Checked options.</returns>
    /// <exception cref="InvalidDataException">The file is malformed or an entry is outside its range.</exception>
    /// <exception cref="NotSupportedException">An entry changes what is generated and is not supported; it is named.</exception>
    public static GenerationOptions FromPretrained(string folder) => GenerationConfigurationFile.Read(folder);

    /// <summary>Checks every option and how they go together.</summary>
    /// <exception cref="ArgumentException">An option is outside its range; the message says which, and what is expected.</exception>
    public void Check()
    {
        Require(MaximumNewTokens >= 1, nameof(MaximumNewTokens), MaximumNewTokens, "at least 1");
        Require(MinimumNewTokens >= 0 && MinimumNewTokens <= MaximumNewTokens, nameof(MinimumNewTokens), MinimumNewTokens,
            $"0 to {nameof(MaximumNewTokens)}, which is {MaximumNewTokens}");
        Require(Temperature is >= 1e-5 and <= 1e5, nameof(Temperature), Temperature,
            $"1e-5 to 1e5. For the most probable token leave {nameof(Sample)} off");
        Require(TopK >= 0, nameof(TopK), TopK, "the number of tokens to choose from, or 0 for all");
        Require(TopP is >= 0 and <= 1, nameof(TopP), TopP, "0 to 1");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "0 to 1");
        Require(TypicalP is > 0 and <= 1, nameof(TypicalP), TypicalP, "more than 0 and at most 1");
        Require(RepetitionPenalty is >= 1e-5
            and <= 1e5, nameof(RepetitionPenalty), RepetitionPenalty, "1e-5 to 1e5, where 1 is no penalty");
        Require(NoRepeatNgramSize >= 0, nameof(NoRepeatNgramSize), NoRepeatNgramSize, "the length of the n-grams, or 0 for no such rule");
        Require(BeamCount is >= 1 and <= MostBeams, nameof(BeamCount), BeamCount, $"1 to {MostBeams}");
        Require(LengthPenalty is >= -100 and <= 100, nameof(LengthPenalty), LengthPenalty, "-100 to 100");
        Require(Enum.IsDefined(EarlyStopping), nameof(EarlyStopping), EarlyStopping,
            $"one of {string.Join(", ", Enum.GetNames<EarlyStopping>())}");
        Require(SequencesPerPrompt >= 1, nameof(SequencesPerPrompt), SequencesPerPrompt, "at least 1");
        Require(BatchSize is >= 1 and <= MostPrompts, nameof(BatchSize), BatchSize, $"1 to {MostPrompts}");
        if (BeamCount > 1 && Sample)
        {
            throw new ArgumentException(
                $"{nameof(GenerationOptions)}: {nameof(BeamCount)} is {BeamCount} and {nameof(Sample)} is on, but beams are not sampled. "
                + "Use one of the two.");
        }

        if (BeamCount > 1)
        {
            Require(SequencesPerPrompt <= BeamCount, nameof(SequencesPerPrompt), SequencesPerPrompt,
                $"at most {nameof(BeamCount)}, which is {BeamCount}");
        }
        else if (!Sample && SequencesPerPrompt > 1)
        {
            throw new ArgumentException(
                $"{nameof(GenerationOptions)}: {nameof(SequencesPerPrompt)} is {SequencesPerPrompt}, but greedy search finds "
                + $"one sequence. Turn {nameof(Sample)} on or raise {nameof(BeamCount)}.");
        }

        if (StopStrings is null || StopStrings.Any(string.IsNullOrEmpty))
            throw new ArgumentException($"{nameof(GenerationOptions)}: {nameof(StopStrings)} holds an empty string. Leave it out.");
    }

    private static void Require<T>(bool holds, string option, T value, string expected)
    {
        if (!holds)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"{nameof(GenerationOptions)}: {option} is {value}; expected {expected}."));
        }
    }
}
