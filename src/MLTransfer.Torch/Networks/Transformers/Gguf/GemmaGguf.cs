using System.Text.Json.Nodes;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>Gemma 2 and Gemma 3: norms have 1 + weight, and the factor of scores goes by the number of layers.</summary>
internal static class GemmaGguf
{
    public static GgufArchitecture Gemma2 { get; } = new("gemma2", ["gemma2"], entries =>
    {
        var gemma = Configure(entries, "gemma2", "Gemma2ForCausalLM", largest: 46);
        gemma["attn_logit_softcapping"] = entries.OptionalNumber("attn_logit_softcapping");
        gemma["final_logit_softcapping"] = entries.OptionalNumber("final_logit_softcapping");
        return gemma;
    })
    {
        Activations = [Activation.GeluTanh],
        CapsScores = true,
        Slides = (layer, _) => layer % 2 == 0,
        Scale = stack => Scale(stack.Width, stack.Blocks[0].Self.Heads, stack.Blocks[0].Self.HeadWidth, stack.Blocks.Length == 46),
        Check = (transformer, refuse) =>
        {
            var (stack, first) = (transformer.Output, transformer.Output.Blocks[0].Self);
            refuse(
                first.SoftCap is null || stack.Heads[0].SoftCap is null,
                "no soft caps (attn_logit_softcapping, final_logit_softcapping)"); // llama.cpp has them in any case
        },
    };

    public static GgufArchitecture Gemma3 { get; } = new("gemma3", ["gemma3_text"], entries =>
    {
        var gemma = Configure(entries, "gemma3_text", "Gemma3ForCausalLM", largest: 62);
        gemma["sliding_window_pattern"] = entries.OptionalSize("attention.sliding_window_pattern") ?? 6;
        gemma["rope_local_base_freq"] = entries.OptionalNumber("rope.freq_base_swa") ?? 10000;
        gemma["rope_scaling"] = entries.RopeScaling();
        return gemma;
    })
    {
        Activations = [Activation.GeluTanh],
        Slides = (layer, pattern) => pattern > 0 && (layer + 1) % pattern != 0,
        WindowPattern = stack => stack.Blocks.Select(block => block.Self.Window).ToList().IndexOf(null) + 1,
        Scale = stack => Scale(stack.Width, stack.Blocks[0].Self.Heads, stack.Blocks[0].Self.HeadWidth, stack.Blocks.Length == 62),
        AddKeys = keys =>
        {
            keys.Add("attention.sliding_window_pattern", keys.Architecture.WindowPattern(keys.Stack));
            if (keys.Stack.Blocks.FirstOrDefault(block => block.Self.Window is not null)?.Self.Rotary is { } near)
                keys.Add("rope.freq_base_swa", near.Theta);
        },
    };

    private static JsonObject Configure(GgufEntries entries, string modelType, string model, int largest)
    {
        var gemma = entries.Decoder(modelType, model);
        var (width, heads) = (entries.Size("embedding_length"), entries.Size("attention.head_count"));
        var head = entries.OptionalSize("attention.key_length") ?? Math.Max(1, width / heads);
        gemma["num_key_value_heads"] = entries.OptionalSize("attention.head_count_kv") ?? heads;
        gemma["head_dim"] = head;
        gemma["rms_norm_eps"] = entries.Number("attention.layer_norm_rms_epsilon");
        gemma["sliding_window"] = entries.OptionalSize("attention.sliding_window") ?? 4096;
        gemma["query_pre_attn_scalar"] =
            Math.Round(Math.Pow(Scale(width, heads, head, entries.Size("block_count") == largest), -2));
        return gemma;
    }

    /// <summary>What llama.cpp multiplies scores with: of the largest network of a generation by width and heads.</summary>
    private static double Scale(int width, int heads, int head, bool isLargest) =>
        1 / Math.Sqrt(isLargest ? Math.Max(1, width / heads) : head);
}
