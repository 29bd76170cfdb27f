using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>Mistral (arXiv 2310.06825): Llama whose layers see a window.</summary>
internal static class Mistral
{
    public static Family Family { get; } = Llama.Row("mistral", "MistralForCausalLM", c =>
    {
        var llama = Llama.Describe(c, new LlamaDefaults { Inner = 14336, KeyValueHeads = 8, Context = 131072 });
        var windows = WindowEntries.Read(c, llama.Decoder!.Blocks.Length, slides: _ => true, otherwise: 4096);
        return llama.WithAttention((attention, layer) => attention with { Window = windows[layer] });
    });
}
