using System.Text.Json.Nodes;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>
/// T5 and FLAN-T5. llama.cpp does not scale hidden states before a tied head, so that one gets a tensor of its own; and its buckets of
/// distances end at 128, so that a table which ends before is written with more rows.
/// </summary>
internal static class T5Gguf
{
    public static GgufArchitecture Architecture { get; } = new("t5", ["t5"], Configure)
    {
        Activations = [Activation.Relu, Activation.GeluTanh],
        Scale = _ => 1,
        Ignored = ["dec.blk.0.cross_attn_rel_b.weight"],
        Check = (transformer, refuse) =>
        {
            foreach (var feed in transformer.Stacks.SelectMany(stack => stack.Blocks).Select(block => block.Feed))
            {
                refuse(
                    (feed.Gating == Description.Gating.None) != (feed.Activation == Activation.Relu),
                    $"the activation {feed.Activation} {(feed.Gating == Description.Gating.None ? "without" : "with")} a gate");
            }

            refuse(
                transformer.Encoder!.Blocks[0].Self.Bias!.Buckets != transformer.Decoder!.Blocks[0].Self.Bias!.Buckets,
                "as many buckets in encoder and decoder");
        },
        AddKeys = keys =>
        {
            var (stack, bias) = (keys.Stack, keys.Stack.Blocks[0].Self.Bias!);
            keys.Add("attention.layer_norm_epsilon", stack.Final!.Epsilon);
            keys.Add("attention.relative_buckets_count", GgufParameters.BucketsOf(bias));
            keys.Add("decoder_block_count", stack.Blocks.Length);
            keys.Add("decoder_start_token_id", (int?)keys.Configuration["decoder_start_token_id"] ?? 0);
        },
    };

    private static JsonObject Configure(GgufEntries entries)
    {
        entries.Has("context_length"); // distances bound no text
        entries.Has("attention.layer_norm_epsilon");
        entries.Has("attention.value_length");
        var layers = entries.Size("block_count");
        return new JsonObject
        {
            ["model_type"] = "t5",
            ["architectures"] = new JsonArray("T5ForConditionalGeneration"),
            ["is_encoder_decoder"] = true,
            ["d_model"] = entries.Size("embedding_length"),
            ["d_ff"] = entries.Size("feed_forward_length"),
            ["num_layers"] = layers,
            ["num_decoder_layers"] = entries.OptionalSize("decoder_block_count") ?? layers,
            ["num_heads"] = entries.Size("attention.head_count"),
            ["d_kv"] = entries.Size("attention.key_length"),
            ["vocab_size"] = entries.Vocabulary,
            ["relative_attention_num_buckets"] = entries.Size("attention.relative_buckets_count"),
            ["relative_attention_max_distance"] = GgufParameters.MaximumDistance,
            ["layer_norm_epsilon"] = entries.Number("attention.layer_norm_rms_epsilon"),
            ["feed_forward_proj"] = entries.Stores("enc.blk.0.ffn_gate.weight") ? "gated-gelu" : "relu",
            ["tie_word_embeddings"] = !entries.Stores(GgufParameters.OutputWeight),
            ["decoder_start_token_id"] = entries.OptionalSize("decoder_start_token_id") ?? 0,
        };
    }
}
