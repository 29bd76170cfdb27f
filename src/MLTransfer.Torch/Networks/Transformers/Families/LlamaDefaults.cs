namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>What holds for a relative of Llama where its <c>config.json</c> does not say: its class's own values.</summary>
internal sealed record LlamaDefaults
{
    public int Vocabulary { get; init; } = 32000;

    public int Width { get; init; } = 4096;

    public int Inner { get; init; } = 11008;

    public int Layers { get; init; } = 32;

    public int Heads { get; init; } = 32;

    /// <summary>Null for as many as <see cref="Heads"/>.</summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>Null for width / heads.</summary>
    public int? HeadWidth { get; init; }

    public int Context { get; init; } = 2048;

    public double Theta { get; init; } = 10000;

    /// <summary>Positions of pretraining, for scalings of the rotation; null for those of the file's network.</summary>
    public int? OriginalContext { get; init; }

    /// <summary>The kind of layer whose set of <c>rope_parameters</c> is read; null where there is one set.</summary>
    public string? RotaryKind { get; init; }

    /// <summary>That of norms.</summary>
    public double Epsilon { get; init; } = 1e-6;

    /// <summary>Whether logits are made with the token embedding.</summary>
    public bool Tied { get; init; }
}
