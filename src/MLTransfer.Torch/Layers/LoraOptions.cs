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

    /// <summary>Multiply with Alpha / sqrt(Rank) instead (arXiv 2312.03732; peft: <c>use_rslora</c>).</summary>
    public bool RankStabilized { get; init; }

    internal double Scale => Alpha / (RankStabilized ? Math.Sqrt(Rank) : Rank);

    internal void Check()
    {
        if (Rank is < 1 or > 1 << 16)
            throw new ArgumentOutOfRangeException(nameof(Rank), Rank, $"LoRA {nameof(Rank)} must be from 1 to {1 << 16}.");
        if (!(Alpha > 0) || double.IsInfinity(Alpha))
            throw new ArgumentOutOfRangeException(nameof(Alpha), Alpha, $"LoRA {nameof(Alpha)} must be positive and finite.");
        if (Dropout is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(Dropout), Dropout, $"LoRA {nameof(Dropout)} must be from 0 to less than 1.");
        if (TargetModules is { Count: 0 })
            throw new ArgumentException(
                $"LoRA {nameof(TargetModules)} names no layer. Null is for the family's usual ones.", nameof(TargetModules));
    }
}
