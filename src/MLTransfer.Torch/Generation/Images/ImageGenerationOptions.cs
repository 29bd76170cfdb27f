using System.Globalization;

namespace MLTransfer.Torch.Generation.Images;

/// <summary>
/// How a network that writes codes of pictures draws them. Names in parentheses are those of Hugging Face's <c>GenerationConfig</c> or of
/// the networks' authors.
/// </summary>
/// <remarks>
/// <para>
/// Codes are drawn row by row, from the upper left one on. Kept codes of a given picture are read where they stand. Where drawn ones come
/// before kept ones, they were drawn without a look at them: two sweeps then draw them anew, and a redraw is taken with the probability
/// min(1, p'/p), of which p is that of the kept codes after those drawn before and p' that after the new ones (independent
/// Metropolis-Hastings), so that pictures that the kept codes fit into are preferred. Without sampling a redraw would be the same, and
/// there is none.
/// </para>
/// </remarks>
public sealed record ImageGenerationOptions
{
    /// <summary>
    /// How much the caption weighs: logits are those without a caption plus this times what the caption changes (classifier-free guidance,
    /// arXiv 2207.12598; <c>guidance_scale</c>, <c>cond_scale</c>, <c>supercondition_factor</c>). 1 for none, at half the work.
    /// </summary>
    public double GuidanceScale { get; init; } = 3;

    /// <summary>Whether codes are drawn at random; else the most probable one is taken (<c>do_sample</c>).</summary>
    public bool Sample { get; init; } = true;

    /// <summary>Divides the logits before sampling (<c>temperature</c>).</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Sampling chooses among this many most probable codes; 0 for all (<c>top_k</c>). Not
    /// beside a <see cref="FilterThreshold"/>, which takes its place.</summary>
    public int TopK { get; init; } = 256;

    /// <summary>
    /// The share of a position's logits that sampling leaves out, the least probable ones, as dalle-pytorch counts them: of all logits,
    /// those of text too where the network has such (<c>filter_thres</c>). Null for <see cref="TopK"/>.
    /// </summary>
    public double? FilterThreshold { get; init; }

    /// <summary>Sampling chooses among the fewest most probable codes whose probabilities reach this sum (<c>top_p</c>); 1 for
    /// all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Sampling leaves out codes less probable than this share of the most probable one's probability (<c>min_p</c>).</summary>
    public double MinP { get; init; }

    /// <summary>Sampling chooses among the codes whose information is closest to the entropy, as many as have this probability together
    /// (<c>typical_p</c>). 1 for all.</summary>
    public double TypicalP { get; init; } = 1;

    /// <summary>The share of the rows of codes of a given picture that is kept, the upper ones; the others are drawn
    /// (completion).</summary>
    public double KeptRows { get; init; } = 0.5;

    /// <summary>
    /// The share of the codes of a given picture that is drawn anew, at places that the seed decides on; the others are kept (variation).
    /// Null for <see cref="KeptRows"/>.
    /// </summary>
    public double? RedrawnShare { get; init; }

    /// <summary>
    /// Decides what sampling draws; null for a new seed with each call. Every prompt draws from a random stream of its own, made from the
    /// seed, the caption and the kept codes: what it gets does not depend on the other prompts.
    /// </summary>
    public long? Seed { get; init; }

    /// <summary>How many pictures the network writes together, up to 4096. It changes speed and memory, not results.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Checks every option and how they go together.</summary>
    /// <exception cref="ArgumentException">An option is outside its range; the message says which, and what is expected.</exception>
    public void Check()
    {
        Require(GuidanceScale is >= 1 and <= 1e3, nameof(GuidanceScale), GuidanceScale, "1 to 1000, where 1 is no guidance");
        Require(Temperature is >= 1e-5 and <= 1e5, nameof(Temperature), Temperature,
            $"1e-5 to 1e5. For the most probable code turn {nameof(Sample)} off");
        Require(TopK >= 0, nameof(TopK), TopK, "the number of codes to choose from, or 0 for all");
        Require(FilterThreshold is null or (>= 0 and < 1), nameof(FilterThreshold), FilterThreshold, "0 to less than 1, or null");
        Require(FilterThreshold is null || TopK == 0 || TopK == new ImageGenerationOptions().TopK, nameof(TopK), TopK,
            $"0, as {nameof(FilterThreshold)} says how many codes to choose from");
        Require(TopP is >= 0 and <= 1, nameof(TopP), TopP, "0 to 1");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "0 to 1");
        Require(TypicalP is > 0 and <= 1, nameof(TypicalP), TypicalP, "more than 0 and at most 1");
        Require(KeptRows is >= 0 and <= 1, nameof(KeptRows), KeptRows, "0 to 1");
        Require(RedrawnShare is null or (>= 0 and <= 1), nameof(RedrawnShare), RedrawnShare, "0 to 1, or null");
        Require(BatchSize is >= 1 and <= 4096, nameof(BatchSize), BatchSize, "1 to 4096");
    }

    /// <summary>Options that change nothing, because nothing is drawn at random.</summary>
    internal IEnumerable<string> UnheededOptions() => (this with { FilterThreshold = null }).Sampling(0)
        .UnheededOptions(new ImageGenerationOptions().Sampling(0))
        .Concat(Sample || FilterThreshold is null ? [] : [nameof(FilterThreshold)]);

    /// <summary>What is done to logits, as for texts.</summary>
    /// <param name="logitsPerPosition">What <see cref="FilterThreshold"/> is a share of.</param>
    internal GenerationOptions Sampling(int logitsPerPosition) => new()
    {
        Sample = Sample,
        Temperature = Temperature,
        TopK = FilterThreshold is { } threshold ? Math.Max((int)((1 - threshold) * logitsPerPosition), 1) : TopK,
        TopP = TopP,
        MinP = MinP,
        TypicalP = TypicalP,
    };

    private static void Require<T>(bool holds, string option, T value, string expected)
    {
        if (!holds)
        {
            throw new ArgumentException(
                string.Create(
                    CultureInfo.InvariantCulture, $"{nameof(ImageGenerationOptions)}: {option} is {value}; expected {expected}."));
        }
    }
}
