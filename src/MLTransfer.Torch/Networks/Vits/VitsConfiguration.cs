using System.Collections.Immutable;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>The entries of a VITS <c>config.json</c> (transformers' <c>VitsConfig</c>, whose defaults these are).</summary>
internal sealed record VitsConfiguration
{
    public const string ModelType = "vits";

    /// <summary>The channels of what a stochastic duration predictor's flows transform: the logarithm of durations, and noise beside
    /// it.</summary>
    public const int DurationChannels = 2;

    public required int VocabularySize { get; init; }
    public required int? PaddingId { get; init; }
    public required int HiddenWidth { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }

    /// <summary>How far relative positions are told apart, each way; 0 for no relative positions.</summary>
    public required int Window { get; init; }

    public required bool HasProjectionBias { get; init; }
    public required int InnerWidth { get; init; }
    public required int InnerKernel { get; init; }
    public required Activation InnerActivation { get; init; }
    public required double NormEpsilon { get; init; }
    public required double LayerDrop { get; init; }
    public required double HiddenDropout { get; init; }
    public required double AttentionDropout { get; init; }
    public required double ActivationDropout { get; init; }

    /// <summary>The channels of latent variables.</summary>
    public required int LatentWidth { get; init; }

    public required int SpectrogramBins { get; init; }
    public required int Flows { get; init; }
    public required int FlowLayers { get; init; }
    public required int PosteriorLayers { get; init; }
    public required int WaveNetKernel { get; init; }
    public required int WaveNetDilationRate { get; init; }
    public required double WaveNetDropout { get; init; }

    public required bool HasStochasticDurations { get; init; }
    public required int DurationKernel { get; init; }
    public required double DurationDropout { get; init; }
    public required int DurationWidth { get; init; }
    public required int DurationFlows { get; init; }
    public required int DurationLayers { get; init; }
    public required int SplineBins { get; init; }
    public required double SplineBound { get; init; }

    public required int DecoderWidth { get; init; }
    public required ImmutableArray<(int Rate, int Kernel)> Upsampling { get; init; }
    public required ImmutableArray<(int Kernel, ImmutableArray<int> Dilations)> ResidualBlocks { get; init; }
    public required double LeakySlope { get; init; }

    public required int Speakers { get; init; }
    public required int SpeakerWidth { get; init; }
    public required double InitializerRange { get; init; }
    public required double SpeakingRate { get; init; }
    public required double NoiseScale { get; init; }
    public required double DurationNoiseScale { get; init; }
    public required int SampleRate { get; init; }

    /// <summary>Samples of sound a frame of latent variables.</summary>
    public int HopLength => Upsampling.Aggregate(1, (product, stage) => product * stage.Rate);

    /// <summary>The channels after an upsampling stage, counted from 0.</summary>
    public int StageWidth(int stage) => DecoderWidth >> (stage + 1);

    /// <exception cref="InvalidDataException">An entry is malformed or out of its range; the message names it.</exception>
    /// <exception cref="NotSupportedException">An entry is not known, or asks for what is not supported.</exception>
    public static VitsConfiguration Parse(JsonObject json, string origin)
    {
        var c = new ConfigurationReader(json, origin);
        c.Require("model_type", ModelType);
        c.Require("depth_separable_channels", DurationChannels);
        var activation = c.Text("hidden_act", "relu");
        var configuration = new VitsConfiguration
        {
            VocabularySize = c.Size("vocab_size", 38),
            PaddingId = c.Has("pad_token_id") ? c.Count("pad_token_id") : null,
            HiddenWidth = c.Size("hidden_size", 192),
            Layers = c.Layers("num_hidden_layers", 6),
            Heads = c.Size("num_attention_heads", 2),
            Window = c.IsNull("window_size") ? 0 : c.Count("window_size", 4),
            HasProjectionBias = c.Flag("use_bias", true),
            InnerWidth = c.Size("ffn_dim", 768),
            InnerKernel = c.Size("ffn_kernel_size", 3),
            InnerActivation = ActivationNames.Find(activation) ?? throw new NotSupportedException(
                $"{origin}: hidden_act is '{activation}'; supported are {string.Join(", ", ActivationNames.All)}."),
            NormEpsilon = c.Positive("layer_norm_eps", 1e-5),
            LayerDrop = c.Probability("layerdrop", 0.1),
            HiddenDropout = c.Probability("hidden_dropout", 0.1),
            AttentionDropout = c.Probability("attention_dropout", 0.1),
            ActivationDropout = c.Probability("activation_dropout", 0.1),
            LatentWidth = c.Size("flow_size", 192),
            SpectrogramBins = c.Size("spectrogram_bins", 513),
            Flows = c.Layers("prior_encoder_num_flows", 4),
            FlowLayers = c.Layers("prior_encoder_num_wavenet_layers", 4),
            PosteriorLayers = c.Layers("posterior_encoder_num_wavenet_layers", 16),
            WaveNetKernel = c.Size("wavenet_kernel_size", 5),
            WaveNetDilationRate = c.Size("wavenet_dilation_rate", 1),
            WaveNetDropout = c.Probability("wavenet_dropout", 0),
            HasStochasticDurations = c.Flag("use_stochastic_duration_prediction", true),
            DurationKernel = c.Size("duration_predictor_kernel_size", 3),
            DurationDropout = c.Probability("duration_predictor_dropout", 0.5),
            DurationWidth = c.Size("duration_predictor_filter_channels", 256),
            DurationFlows = c.Layers("duration_predictor_num_flows", 4),
            DurationLayers = c.Layers("depth_separable_num_layers", 3),
            SplineBins = c.Size("duration_predictor_flow_bins", 10),
            SplineBound = c.Positive("duration_predictor_tail_bound", 5),
            DecoderWidth = c.Size("upsample_initial_channel", 512),
            Upsampling = Stages(c),
            ResidualBlocks = Blocks(c),
            LeakySlope = c.Number("leaky_relu_slope", 0.1),
            Speakers = c.Size("num_speakers", 1),
            SpeakerWidth = c.Count("speaker_embedding_size", 0),
            InitializerRange = c.Number("initializer_range", 0.02),
            SpeakingRate = c.Positive("speaking_rate", 1),
            NoiseScale = c.Number("noise_scale", 0.667),
            DurationNoiseScale = c.Number("noise_scale_duration", 0.8),
            SampleRate = c.Size("sampling_rate", 16000),
        };
        c.RefuseUnread(CommonEntries.Contains);
        configuration.Check(c);
        return configuration;
    }

    private static ImmutableArray<(int Rate, int Kernel)> Stages(ConfigurationReader c)
    {
        var rates = Sizes(c, "upsample_rates", c.Numbers("upsample_rates"), [8, 8, 2, 2]);
        var kernels = Sizes(c, "upsample_kernel_sizes", c.Numbers("upsample_kernel_sizes"), [16, 16, 4, 4]);
        c.OfLength("upsample_kernel_sizes", kernels, rates.Length);
        return [.. rates.Zip(kernels)];
    }

    private static ImmutableArray<(int Kernel, ImmutableArray<int> Dilations)> Blocks(ConfigurationReader c)
    {
        const string key = "resblock_dilation_sizes";
        var kernels = Sizes(c, "resblock_kernel_sizes", c.Numbers("resblock_kernel_sizes"), [3, 7, 11]);
        ImmutableArray<int> usual = [1, 3, 5];
        if (c.Array(key) is not { } lists)
            return [.. c.OfLength("resblock_kernel_sizes", kernels, 3).Select(kernel => (kernel, usual))];
        c.OfLength(key, lists.ToList(), kernels.Length);
        return
        [
            .. kernels.Zip(lists, (kernel, list) =>
                (kernel, Sizes(c, key, new ConfigurationReader(new JsonObject { [key] = list?.DeepClone() }, c.Origin).Numbers(key), []))),
        ];
    }

    private static ImmutableArray<int> Sizes(ConfigurationReader c, string key, IReadOnlyList<double>? numbers, int[] otherwise)
    {
        if (numbers is null && otherwise.Length > 0)
            return [.. otherwise];
        if (numbers is not { Count: > 0 and <= 64 } || numbers.Any(number => number is < 1 or > 1 << 12 || number != Math.Floor(number)))
            throw c.Invalid($"{key} holds no list of 1 to 64 whole numbers from 1 to {1 << 12}");
        return [.. numbers.Select(number => (int)number)];
    }

    private void Check(ConfigurationReader c)
    {
        if (HiddenWidth % Heads != 0)
            throw c.Invalid($"hidden_size is {HiddenWidth}; expected a multiple of num_attention_heads, {Heads}");
        if (LatentWidth % 2 != 0)
            throw c.Invalid($"flow_size is {LatentWidth}; expected an even number: a flow transforms one half by the other");
        if (PaddingId >= VocabularySize)
            throw c.Invalid($"pad_token_id is {PaddingId}; vocab_size is {VocabularySize}");
        if (SplineBins > 999)
            throw c.Invalid($"duration_predictor_flow_bins is {SplineBins}; expected at most 999, as no bin is narrower than 1/1000");
        if (Speakers > 1 && SpeakerWidth == 0)
            throw c.Invalid($"speaker_embedding_size is 0; {Speakers} speakers (num_speakers) need vectors");
        Odd("wavenet_kernel_size", WaveNetKernel);
        Odd("duration_predictor_kernel_size", DurationKernel);
        foreach (var (kernel, _) in ResidualBlocks)
            Odd("resblock_kernel_sizes", kernel);
        Bounded("wavenet_dilation_rate", WaveNetDilationRate, Math.Max(FlowLayers, PosteriorLayers));
        Bounded("duration_predictor_kernel_size", DurationKernel, DurationLayers);
        foreach (var (rate, kernel) in Upsampling)
        {
            if (kernel < rate)
                throw c.Invalid($"upsample_kernel_sizes has {kernel} for a rate of {rate}; expected at least the rate");
        }

        if (Upsampling.Aggregate(1L, (product, stage) => Math.Min(product * stage.Rate, int.MaxValue)) > 1 << 16)
            throw c.Invalid($"the product of upsample_rates is above {1 << 16}");
        if (StageWidth(Upsampling.Length - 1) == 0)
            throw c.Invalid($"upsample_initial_channel is {DecoderWidth}; {Upsampling.Length} halvings leave no channel");

        void Odd(string key, int kernel)
        {
            if (kernel % 2 == 0)
                throw c.Invalid($"{key} has {kernel}; expected an odd number, so that a convolution keeps the length");
        }

        void Bounded(string key, int factor, int layers)
        {
            if (Math.Pow(factor, layers - 1) > 1 << 20)
                throw c.Invalid($"{key} is {factor}: its power of {layers - 1} is a dilation above {1 << 20}");
        }
    }
}
