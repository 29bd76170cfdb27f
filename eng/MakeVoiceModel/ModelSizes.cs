using System.Text.Json.Nodes;

namespace MakeVoiceModel;

/// <summary>The network: 62.5 frames a second, no stochastic durations.</summary>
internal static class ModelSizes
{
    /// <summary>The least: with it discriminators are larger than the network that they judge.</summary>
    public const int DiscriminatorWidth = 8;

    public static JsonObject Voice(int characters, int speakers) => new()
    {
        ["architectures"] = new JsonArray("VitsModel"),
        ["model_type"] = "vits",
        ["vocab_size"] = characters,
        ["pad_token_id"] = 0,
        ["hidden_size"] = 80,
        ["num_hidden_layers"] = 3,
        ["num_attention_heads"] = 2,
        ["ffn_dim"] = 192,
        ["layerdrop"] = 0.0,
        ["hidden_dropout"] = 0.0,
        ["attention_dropout"] = 0.0,
        ["activation_dropout"] = 0.0,
        ["flow_size"] = 64,
        ["spectrogram_bins"] = 513,
        ["prior_encoder_num_flows"] = 4,
        ["prior_encoder_num_wavenet_layers"] = 3,
        ["posterior_encoder_num_wavenet_layers"] = 6,
        ["wavenet_kernel_size"] = 3,
        ["wavenet_dilation_rate"] = 2,
        ["use_stochastic_duration_prediction"] = false,
        ["duration_predictor_filter_channels"] = 96,
        ["duration_predictor_dropout"] = 0.1,
        ["upsample_initial_channel"] = 128,
        ["upsample_rates"] = new JsonArray(8, 8, 4),
        ["upsample_kernel_sizes"] = new JsonArray(16, 16, 8),
        ["resblock_kernel_sizes"] = new JsonArray(3, 7),
        ["resblock_dilation_sizes"] = new JsonArray(new JsonArray(1, 3), new JsonArray(1, 3)),
        ["num_speakers"] = speakers,
        ["speaker_embedding_size"] = 32,
        ["sampling_rate"] = Espeak.SampleRate,
    };
}
