using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Families;

/// <summary>Phi-3 and Phi-4-mini (arXiv 2404.14219): Llama with packed projections and a window.</summary>
internal static class Phi3
{
    public static Family Family { get; } = Llama.Row("phi3", "Phi3ForCausalLM", c =>
    {
        var llama = Llama.Describe(
            c, new LlamaDefaults
            {
                Vocabulary = 32064, Width = 3072, Inner = 8192, Context = 4096, OriginalContext = 4096, Epsilon = 1e-5,
            });
        c.Require("full_attn_mod", 1);
        c.Require("interpolate_factor", 1);
        var windows = WindowEntries.Read(c, llama.Decoder!.Blocks.Length, slides: _ => true);
        return llama.WithDecoder(stack => stack with
        {
            Dropout = new(c.Probability("embd_pdrop", 0), c.Probability("attention_dropout", 0), c.Probability("resid_pdrop", 0)),
        }).WithBlocks((block, layer) => block with
        {
            Self = block.Self with
            {
                Packing = Packing.Rows,
                Inputs = [block.Self.Inputs[0] with { Name = $"model.layers.{layer}.self_attn.qkv_proj" }],
                Window = windows[layer],
            },
            Feed = block.Feed with
            {
                Gating = Gating.Rows,
                Inputs = [block.Feed.Inputs[0] with { Name = $"model.layers.{layer}.mlp.gate_up_proj" }],
            },
        });
    }) with { LoraTargets = ["qkv_proj", "o_proj"] };
}
