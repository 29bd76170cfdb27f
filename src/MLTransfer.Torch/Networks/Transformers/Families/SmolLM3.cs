using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>SmolLM3: Llama without rotation in some layers (arXiv 2501.18795).</summary>
internal static class SmolLM3
{
    public static Family Family { get; } = Llama.Row("smollm3", "SmolLM3ForCausalLM", c =>
    {
        var llama = Llama.Describe(c, new LlamaDefaults
        {
            Vocabulary = 128256, Width = 2048, Layers = 36, Heads = 16, KeyValueHeads = 4, Context = 32768, Theta = 2e6, Tied = true,
        });
        var layers = llama.Decoder!.Blocks.Length;
        var interval = c.Size("no_rope_layer_interval", 4);
        var turned = c.Numbers("no_rope_layers") is { } list
            ? c.OfLength("no_rope_layers", list, layers).Select(entry => entry != 0).ToList()
            : [.. Enumerable.Range(0, layers).Select(layer => (layer + 1) % interval != 0)];
        var slides = c.Flag("use_sliding_window", false);
        var windows = WindowEntries.Read(c, layers, layer => slides && !turned[layer]);
        return llama.WithAttention((attention, layer) => attention with
        {
            Rotary = turned[layer] ? attention.Rotary : null,
            Window = windows[layer],
        });
    }) with { Harmless = ["max_window_layers"] };
}
