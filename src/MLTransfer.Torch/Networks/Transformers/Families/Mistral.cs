using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>Mistral (arXiv 2310.06825): Llama whose layers see a window.</summary>
internal static class Mistral
{
    public static Family Family { get; } = Llama.Row("mistral", "MistralForCausalLM", c =>
    {
        var llama = Llama.Describe(c);
        var windows = WindowEntries.Read(c, llama.Decoder!.Blocks.Length, slides: _ => true);
        return llama.WithAttention((attention, layer) => attention with { Window = windows[layer] });
    });
}
