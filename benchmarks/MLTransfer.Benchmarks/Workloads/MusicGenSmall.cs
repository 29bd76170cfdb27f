using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>MusicGen-small's shape with random weights: T5-base's encoder, 24 layers of 1024, 4 codebooks of 2048, 50 frames a
/// second.</summary>
internal static class MusicGenSmall
{
    public const int FrameRate = 50;

    private static readonly JsonObject s_configuration = new()
    {
        ["model_type"] = "musicgen",
        ["text_encoder"] = new JsonObject
        {
            ["model_type"] = "t5", ["vocab_size"] = 32128, ["d_model"] = 768, ["d_kv"] = 64, ["d_ff"] = 3072, ["num_layers"] = 12,
            ["num_heads"] = 12, ["dropout_rate"] = 0.0,
        },
        ["decoder"] = new JsonObject
        {
            ["model_type"] = "musicgen_decoder", ["vocab_size"] = 2048, ["num_codebooks"] = 4, ["hidden_size"] = 1024,
            ["num_hidden_layers"] = 24, ["num_attention_heads"] = 16, ["ffn_dim"] = 4096, ["max_position_embeddings"] = 2048,
            ["dropout"] = 0.0,
        },
        ["audio_encoder"] = new JsonObject
        {
            ["model_type"] = "encodec", ["sampling_rate"] = 32000, ["audio_channels"] = 1, ["target_bandwidths"] = new JsonArray(2.2),
            ["num_filters"] = 64, ["upsampling_ratios"] = new JsonArray(8, 5, 4, 4), ["hidden_size"] = 128, ["codebook_dim"] = 128,
            ["codebook_size"] = 2048, ["use_causal_conv"] = false, ["use_conv_shortcut"] = false,
        },
    };

    /// <summary>The model in a number format; <see cref="ScalarType.Int8"/> is quantized.</summary>
    public static MusicGenModel Create(ScalarType type)
    {
        var model = MusicGenModel.Create(
            s_configuration.DeepClone().AsObject(), seed: 1, type == ScalarType.Int8 ? ScalarType.Float32 : type);
        if (type == ScalarType.Int8)
            WeightQuantization.Quantize(model);
        return model;
    }

    /// <summary>The parameters of matrix products that a frame reads: all but those that make keys and values of captions.</summary>
    public static long FrameParameters { get; } = Count(isFrame: true);

    /// <summary>Layers, and the width of attention.</summary>
    public static (int Layers, int Width) Attention => (24, 1024);

    private static long Count(bool isFrame)
    {
        using var decoder = CausalLanguageModel.Create(s_configuration["decoder"]!.DeepClone().AsObject(), device: META);
        return decoder.LinearLayers()
            .Where(layer => isFrame != (layer.Name.Contains("encoder_attn.k_proj", StringComparison.Ordinal)
                || layer.Name.Contains("encoder_attn.v_proj", StringComparison.Ordinal)))
            .Sum(layer => (long)layer.Layer.InputWidth * layer.Layer.OutputWidth);
    }
}
