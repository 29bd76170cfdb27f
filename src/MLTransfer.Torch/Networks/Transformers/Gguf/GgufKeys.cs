using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Gguf;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>Writes what a description says as the keys of a file's architecture.</summary>
/// <param name="Metadata">Takes the keys.</param>
/// <param name="Architecture">The file's.</param>
/// <param name="Transformer">The network.</param>
/// <param name="Configuration">Its <c>config.json</c>.</param>
internal sealed record GgufKeys(
    GgufMetadata Metadata, GgufArchitecture Architecture, Transformer Transformer, JsonObject Configuration)
{
    public Stack Stack => Transformer.Output;

    public void Write()
    {
        var (block, attention) = (Stack.Blocks[0], Stack.Blocks[0].Self);
        Add("block_count", (Transformer.Encoder ?? Stack).Blocks.Length);
        Add("context_length", Stack.Context);
        Add("embedding_length", Stack.Width);
        Add("feed_forward_length", block.Feed.Inner);
        Add("attention.head_count", attention.Heads);
        if (Architecture.TellsHeads && Transformer.Encoder is null)
            Add("attention.head_count_kv", attention.KeyValueHeads);
        if (attention.Rotary is { } rotary)
            Add("rope.freq_base", Rotary.Theta);
        var norm = Stack.Final!;
        Add(norm.Kind == Layers.NormKind.Layer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon", norm.Epsilon);
        if (Architecture.TellsHeads)
        {
            Add("attention.key_length", attention.HeadWidth);
            Add("attention.value_length", attention.HeadWidth);
        }

        if (Architecture.TellsVocabulary)
            Add("vocab_size", Stack.Input.Rows);
        if (Architecture.TellsTurnedWidth)
            Add("rope.dimension_count", Rotary.Width);
        WriteScaling();
        if (Stack.Blocks.Select(b => b.Self.Window).FirstOrDefault(window => window is not null) is { } positions)
            Add("attention.sliding_window", positions);
        if (attention.SoftCap is { } cap)
            Add("attn_logit_softcapping", cap);
        if (Stack.Heads[0].SoftCap is { } logitCap)
            Add("final_logit_softcapping", logitCap);
        Architecture.AddKeys(this);
    }

    public void Add(string key, int value) => Metadata.Add($"{Architecture.Name}.{key}", (uint)value);

    public void Add(string key, double value) => Metadata.Add($"{Architecture.Name}.{key}", (float)value);

    public void Add(string key, bool value) => Metadata.Add($"{Architecture.Name}.{key}", value);

    public void Add(string key, string value) => Metadata.Add($"{Architecture.Name}.{key}", value);

    /// <summary>The rotation of layers that see the whole text.</summary>
    private Rotary Rotary => (Stack.Blocks.FirstOrDefault(block => block.Self.Window is null) ?? Stack.Blocks[0]).Self.Rotary!;

    private void WriteScaling()
    {
        switch (Stack.Blocks[0].Self.Rotary is null ? null : Rotary.Scaling)
        {
            case LinearScaling linear:
                Add("rope.scaling.type", "linear");
                Add("rope.scaling.factor", linear.Factor);
                break;
            case YarnScaling yarn when GgufConstants.TellsDivisors(yarn):
                Add("rope.scaling.attn_factor", yarn.AttentionFactor);
                break;
            case YarnScaling yarn:
                Add("rope.scaling.type", "yarn");
                Add("rope.scaling.factor", yarn.Factor);
                Add("rope.scaling.original_context_length", yarn.Original);
                Add("rope.scaling.attn_factor", yarn.AttentionFactor / GgufEntries.YarnGrowth(yarn.Factor));
                break;
            case LongRopeScaling longRope:
                Add("rope.scaling.type", "longrope");
                Add("rope.scaling.original_context_length", longRope.Original);
                Add("rope.scaling.attn_factor", longRope.AttentionFactor);
                break;
        }
    }
}
