using System.Globalization;

namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>How masks are filled.</summary>
public sealed record InfillingOptions
{
    /// <summary>The largest <see cref="CandidateCount"/>.</summary>
    internal const int MostCandidates = 1 << 16;

    /// <summary>The order in which the masks of a text are filled.</summary>
    public InfillingOrder Order { get; init; }

    /// <summary>
    /// The share of a text's words that are masked and written anew where the text has no mask itself, at least one; 0 leaves such a
    /// text as it is. Each token of a word becomes a mask. Which words, the seed and the text's tokens decide.
    /// </summary>
    public double MaskedShare { get; init; }

    /// <summary>How many of the most probable tokens are told of each mask.</summary>
    public int CandidateCount { get; init; } = 5;

    /// <summary>Whether a mask may be filled with a special token, such as the unknown one. Their probabilities count all the
    /// same.</summary>
    public bool AllowSpecialTokens { get; init; }

    /// <summary>Whether tokens are drawn at random; else the most probable one is taken.</summary>
    public bool Sample { get; init; }

    /// <summary>Divides the logits before sampling: below 1 makes likely tokens likelier.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Sampling chooses among this many most probable tokens, and those that tie with the last; 0 for all.</summary>
    public int TopK { get; init; }

    /// <summary>How filled tokens become a text.</summary>
    public InfilledTextForm TextForm { get; init; }

    /// <summary>
    /// Decides what sampling draws and which words <see cref="MaskedShare"/> masks; null for a new seed with each call. Every text has
    /// a random stream of its own, made from the seed and its tokens, so it does not matter which other texts there are.
    /// </summary>
    public long? Seed { get; init; }

    /// <summary>
    /// How many texts the model reads in one pass, up to 65,536. It changes speed and memory, not results (but for the rounding of
    /// floating-point sums).
    /// </summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Reads <c>infilling_config.json</c>, as published beside a model.</summary>
    /// <param name="folder">A folder in Hugging Face layout. Entries or a file that are missing leave this class's defaults.</param>
    /// <returns>Checked options.</returns>
    /// <exception cref="InvalidDataException">The file is malformed, or has an entry that is not known or outside its range.</exception>
    public static InfillingOptions FromPretrained(string folder) => InfillingOptionsFile.Read(folder);

    /// <summary>Checks every option.</summary>
    /// <exception cref="ArgumentException">An option is outside its range; the message says which, and what is expected.</exception>
    public void Check()
    {
        Require(Enum.IsDefined(Order), nameof(Order), Order, $"one of {string.Join(", ", Enum.GetNames<InfillingOrder>())}");
        Require(MaskedShare is >= 0 and <= 1, nameof(MaskedShare), MaskedShare, "0 to 1");
        Require(
            CandidateCount is >= 0 and <= MostCandidates, nameof(CandidateCount), CandidateCount, $"0 to {MostCandidates}");
        Require(Temperature is >= 1e-5 and <= 1e5, nameof(Temperature), Temperature,
            $"1e-5 to 1e5. For the most probable token leave {nameof(Sample)} off");
        Require(TopK >= 0, nameof(TopK), TopK, "the number of tokens to choose from, or 0 for all");
        Require(Enum.IsDefined(TextForm), nameof(TextForm), TextForm, $"one of {string.Join(", ", Enum.GetNames<InfilledTextForm>())}");
        Require(BatchSize is >= 1 and <= GenerationOptions.MostPrompts, nameof(BatchSize), BatchSize,
            $"1 to {GenerationOptions.MostPrompts}");
    }

    private static void Require<T>(bool holds, string option, T value, string expected)
    {
        if (!holds)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"{nameof(InfillingOptions)}: {option} is {value}; expected {expected}."));
        }
    }
}
