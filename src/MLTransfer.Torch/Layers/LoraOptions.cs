namespace MLTransfer.Torch.Layers;

/// <summary>What a new set of LoRA adapters looks like (arXiv 2106.09685); names and defaults follow peft's <c>LoraConfig</c>.</summary>
public sealed record LoraOptions
{
    /// <summary>The rank of the update (peft: <c>r</c>).</summary>
    public int Rank { get; init; } = 8;

    /// <summary>The update is multiplied with Alpha / <see cref="Rank"/> (peft: <c>lora_alpha</c>).</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>The probability with which an adapter's inputs are zeroed in training (peft: <c>lora_dropout</c>).</summary>
    public double Dropout { get; init; }

    /// <summary>
    /// Linear layers that get an adapter, by the last part or parts of their name, such as <c>c_attn</c> or <c>mlp.c_proj</c>;
    /// the one entry <c>all-linear</c> means every linear layer but the output head (peft: <c>target_modules</c>). Null: those that are
    /// usual for the network's family, such as <c>c_attn</c> for GPT-2 and <c>q_proj</c>, <c>v_proj</c> for Llama.
    /// </summary>
    public IReadOnlyList<string>? TargetModules { get; init; }

    /// <summary>
    /// A regular expression for the whole names of the layers that get an adapter, such as <c>.*\.(q|v)_proj</c>, in place of
    /// <see cref="TargetModules"/> (peft: a text as <c>target_modules</c>).
    /// </summary>
    public string? TargetPattern { get; init; }

    /// <summary>Layers that get no adapter, by the last part or parts of their name (peft: <c>exclude_modules</c>).</summary>
    public IReadOnlyList<string> ExcludedModules { get; init; } = [];

    /// <summary>
    /// The numbers of the blocks whose layers get adapters; null for all (peft: <c>layers_to_transform</c>). A block's number is the one
    /// behind the name of the list of blocks, as in <c>model.layers.3.</c>
    /// </summary>
    public IReadOnlyList<int>? Blocks { get; init; }

    /// <summary>
    /// Other ranks for some layers: a regular expression for the end of a layer's name, and the rank (peft: <c>rank_pattern</c>). The first
    /// that fits counts.
    /// </summary>
    public IReadOnlyDictionary<string, int> RankPattern { get; init; } = new Dictionary<string, int>();

    /// <summary>Other values of <see cref="Alpha"/> for some layers, as <see cref="RankPattern"/> (peft: <c>alpha_pattern</c>).</summary>
    public IReadOnlyDictionary<string, double> AlphaPattern { get; init; } = new Dictionary<string, double>();

    /// <summary>
    /// Modules that are trained whole beside the adapters and stored with them, by the end of their name, such as <c>lm_head</c>
    /// (peft: <c>modules_to_save</c>). A matrix that two modules share is refused.
    /// </summary>
    public IReadOnlyList<string> TrainedModules { get; init; } = [];

    /// <summary>
    /// The ids of tokens whose rows of the token embedding are trained beside the adapters and stored with them, and nothing else of it
    /// (peft: <c>trainable_token_indices</c>); so are those of the output head, which may be tied to it, unless
    /// <see cref="TrainsTokensOfHead"/> is off.
    /// </summary>
    public IReadOnlyList<int> TrainedTokens { get; init; } = [];

    /// <summary>Whether an output head that is not tied to the embedding trains the rows of <see cref="TrainedTokens"/> too.</summary>
    public bool TrainsTokensOfHead { get; init; } = true;

    /// <summary>Multiply with Alpha / sqrt(Rank) instead (arXiv 2312.03732; peft: <c>use_rslora</c>).</summary>
    public bool RankStabilized { get; init; }

    /// <summary>
    /// Train the length of each output's row of the weight apart from its direction (DoRA, arXiv 2402.09353; peft: <c>use_dora</c>).
    /// </summary>
    public bool WeightDecomposed { get; init; }

    /// <summary>The rank of a layer's adapter.</summary>
    internal int RankOf(string layerName) => NamePattern.First(RankPattern, layerName, out var rank) ? rank : Rank;

    /// <summary>What a layer's update is multiplied with.</summary>
    internal double ScaleOf(string layerName)
    {
        var (rank, alpha) = (RankOf(layerName), NamePattern.First(AlphaPattern, layerName, out var other) ? other : Alpha);
        return alpha / (RankStabilized ? Math.Sqrt(rank) : rank);
    }

    internal void Check()
    {
        foreach (var rank in RankPattern.Values.Append(Rank))
        {
            if (rank is < 1 or > 1 << 16)
                throw new ArgumentOutOfRangeException(nameof(Rank), rank, $"LoRA {nameof(Rank)} must be from 1 to {1 << 16}.");
        }

        foreach (var alpha in AlphaPattern.Values.Append(Alpha))
        {
            if (!(alpha > 0) || double.IsInfinity(alpha))
                throw new ArgumentOutOfRangeException(nameof(Alpha), alpha, $"LoRA {nameof(Alpha)} must be positive and finite.");
        }

        if (Dropout is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(Dropout), Dropout, $"LoRA {nameof(Dropout)} must be from 0 to less than 1.");
        if (TargetModules is { Count: 0 })
        {
            throw new ArgumentException(
                $"LoRA {nameof(TargetModules)} names no layer. Null is for the family's usual ones.", nameof(TargetModules));
        }

        if (TargetPattern is not null && TargetModules is not null)
        {
            throw new ArgumentException(
                $"LoRA takes {nameof(TargetModules)} or a {nameof(TargetPattern)}, not both.", nameof(TargetPattern));
        }

        if (TrainedTokens.Any(id => id < 0) || TrainedTokens.Distinct().Count() < TrainedTokens.Count)
        {
            throw new ArgumentException(
                $"LoRA {nameof(TrainedTokens)} are ids from 0 on, each once; found {string.Join(", ", TrainedTokens)}.",
                nameof(TrainedTokens));
        }

        foreach (var pattern in RankPattern.Keys.Concat(AlphaPattern.Keys).Concat(TargetPattern is null ? [] : [TargetPattern]))
            NamePattern.Check(pattern);
    }
}
