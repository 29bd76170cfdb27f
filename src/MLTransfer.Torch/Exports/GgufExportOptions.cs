namespace MLTransfer.Torch.Exports;

/// <summary>What <see cref="GgufExporter"/> writes.</summary>
public sealed record GgufExportOptions
{
    /// <summary>The number format of matrices.</summary>
    public GgufPrecision Precision { get; init; }

    /// <summary>Where LoRA adapters go; merged where the model has none.</summary>
    public GgufAdapter Adapter { get; init; }

    /// <summary>
    /// Writes also Ollama's <c>Modelfile</c> beside the file, with the chat template in Ollama's own language and what ends a turn:
    /// <c>ollama create NAME -f Modelfile</c>.
    /// </summary>
    public bool Modelfile { get; init; }

    /// <summary><c>general.name</c>; without it the file's name.</summary>
    public string? Name { get; init; }
}
