namespace MLTransfer.Torch.Exports;

/// <summary>Where the LoRA adapters of a model go in GGUF files.</summary>
public enum GgufAdapter
{
    /// <summary>Into the weights of the model's file.</summary>
    Merged,

    /// <summary>The model's file has the weights without them; they have a file beside it, <c>NAME.adapter.gguf</c>.</summary>
    Apart,

    /// <summary>Only they are written, into the file that is named.</summary>
    Only,
}
