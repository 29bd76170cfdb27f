using System.Text.Json.Nodes;
using AudioGeneration.Tunes;
using MLTransfer.Torch.Networks.Codecs.EnCodec;

namespace MakeTunesModel;

/// <summary>The networks: 40 frames a second of 4 codebooks of 256 codes.</summary>
internal static class ModelSizes
{
    private const int CodebookSize = 256;
    private const int Codebooks = 4;

    /// <summary>Longer than the 264 frames of a tune, so that one can go on.</summary>
    private const int Context = 512;

    public static JsonObject Codec() => EnCodecModel.Configure(
        TuneRenderer.SampleRate, bandwidths: [1.28], filters: 16, ratios: [8, 5, 5], hiddenWidth: 64, CodebookSize, recurrentLayers: 1,
        isCausal: false);

    /// <param name="words">Tokens of captions.</param>
    public static JsonObject Music(int words)
    {
        var codec = Codec();
        codec.Remove("architectures");
        return new JsonObject
        {
            ["architectures"] = new JsonArray("MusicgenForConditionalGeneration"),
            ["model_type"] = "musicgen",
            ["is_encoder_decoder"] = true,
            ["audio_encoder"] = codec,
            ["text_encoder"] = new JsonObject
            {
                ["model_type"] = "t5",
                ["vocab_size"] = words,
                ["d_model"] = 96,
                ["d_kv"] = 24,
                ["num_heads"] = 4,
                ["d_ff"] = 192,
                ["num_layers"] = 2,
                ["dropout_rate"] = 0.0,
                ["feed_forward_proj"] = "relu",
                ["is_encoder_decoder"] = false,
                ["use_cache"] = false,
                ["pad_token_id"] = 0,
            },
            ["decoder"] = new JsonObject
            {
                ["model_type"] = "musicgen_decoder",
                ["vocab_size"] = CodebookSize,
                ["num_codebooks"] = Codebooks,
                ["hidden_size"] = 192,
                ["num_hidden_layers"] = 4,
                ["num_attention_heads"] = 6,
                ["ffn_dim"] = 768,
                ["activation_function"] = "gelu",
                ["max_position_embeddings"] = Context,
                ["dropout"] = 0.0,
                ["attention_dropout"] = 0.0,
                ["activation_dropout"] = 0.0,
                ["layerdrop"] = 0.0,
                ["scale_embedding"] = false,
                ["audio_channels"] = 1,
                ["bos_token_id"] = CodebookSize,
                ["pad_token_id"] = CodebookSize,
            },
        };
    }
}
