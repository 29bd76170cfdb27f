using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>
/// A codec of sounds (arXiv 2210.13438): an encoder makes a vector of each few hundred samples, a residual vector quantizer makes codes of
/// it, and a decoder makes sounds of codes. On disk it is the folder of transformers' <c>EncodecModel</c>.
/// </summary>
/// <remarks>
/// Weights are float32. C: channels of a sound, L: samples, B: batch, D: width of a vector, T: frames of codes, Q: codebooks in use.
/// A call to <c>eval()</c> must follow where weights are changed from outside in evaluation mode: convolutions keep what they make of them.
/// </remarks>
public sealed class EnCodecModel : GenerativeNetwork
{
    private const string PreprocessorFile = "preprocessor_config.json";

    // Float32 values that live at once for each sample and filter of the widest layers, about.
    private const int LiveValues = 5;

    private readonly EnCodecConfiguration _configuration;

    private EnCodecModel(JsonObject json, EnCodecConfiguration configuration, WeightSource weights)
        : base(EnCodecConfiguration.ModelType, json)
    {
        _configuration = configuration;
        register_module("encoder", Encoder = CodecStack.Encoder(weights.Scope("encoder"), configuration));
        register_module("quantizer", Quantizer = new ResidualVectorQuantizer(weights.Scope("quantizer"), configuration));
        register_module("decoder", Decoder = CodecStack.Decoder(weights.Scope("decoder"), configuration));
        eval();
    }

    /// <summary>Samples a second of the sounds that are encoded.</summary>
    public int SampleRate => _configuration.SampleRate;

    /// <summary>1 for mono, 2 for stereo.</summary>
    public int Channels => _configuration.Channels;

    /// <summary>Samples of a frame of codes.</summary>
    public int HopLength => _configuration.HopLength;

    /// <summary>Frames of codes a second, rounded up.</summary>
    public int FrameRate => _configuration.FrameRate;

    /// <summary>Codewords of each codebook: codes are less than that.</summary>
    public int CodebookSize => _configuration.CodebookSize;

    /// <summary>How many codebooks there are.</summary>
    public int CodebookCount => _configuration.Codebooks;

    /// <summary>The width of the vectors that are quantized.</summary>
    public int EmbeddingWidth => _configuration.HiddenWidth;

    /// <summary>Kilobits a second that sounds can be encoded with; the first where nobody chooses.</summary>
    public IReadOnlyList<double> Bandwidths => _configuration.Bandwidths;

    /// <summary>Samples that are encoded together; null where a sound is encoded at once.</summary>
    public int? ChunkLength => _configuration.ChunkLength;

    /// <summary>Samples from the start of a chunk to that of the next; null where a sound is encoded at once.</summary>
    public int? ChunkStride => _configuration.ChunkStride;

    internal EnCodecConfiguration Sizes => _configuration;

    internal CodecStack Encoder { get; }

    internal ResidualVectorQuantizer Quantizer { get; }

    internal CodecStack Decoder { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> BlockPrefixes =>
        [.. named_parameters().Select(p => string.Join('.', p.name.Split('.').Take(3)) + ".").Distinct()];

    /// <summary>Loads a codec, in evaluation mode.</summary>
    /// <param name="folder">Has <c>config.json</c> and weights (see <see cref="Checkpoint.Open"/>).</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    public static EnCodecModel Load(string folder, Device? device = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var configuration = ModelConfigurationFile.Read(folder);
        using var checkpoint = Checkpoint.Open(folder);
        return Load(configuration, checkpoint, folder, device: device);
    }

    /// <summary>Builds a codec from a configuration and named tensors, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="checkpoint">The weights. It may be disposed after the call.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="prefix">What stands before the names of the codec's tensors, such as <c>audio_encoder.</c>; others are left
    /// alone.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    public static EnCodecModel Load(
        JsonObject configuration, Checkpoint checkpoint, string origin = ModelConfigurationFile.FileName, string prefix = "",
        Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(prefix);
        var read = EnCodecConfiguration.Read(configuration, $"{origin}: {ModelConfigurationFile.FileName}");
        var stored = checkpoint.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(name => ConvolutionWeight.TodaysName(name[prefix.Length..]));
        var codec = new EnCodecModel(configuration, read, WeightSource.FromCheckpoint(
            checkpoint, origin, stored.GetValueOrDefault, ScalarType.Float32, device ?? CPU));
        var taken = codec.CheckpointTensors().Select(tensor => tensor.Key).ToHashSet();
        if (stored.Keys.Where(name => !taken.Contains(name)).Order(StringComparer.Ordinal).FirstOrDefault() is not { } unknown)
            return codec;
        codec.Dispose();
        throw new InvalidDataException(
            $"{origin} has a tensor '{stored[unknown]}' that the codec of its {ModelConfigurationFile.FileName} does not take. Correct "
            + $"{ModelConfigurationFile.FileName}, or take out of the checkpoint what is of no use.");
    }

    /// <summary>Builds a codec with new weights, in evaluation mode. Its codebooks are to be found by training.</summary>
    /// <param name="configuration">The content of <c>config.json</c>; see <see cref="Configure"/>.</param>
    /// <param name="seed">Decides on the weights.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration is malformed.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported.</exception>
    public static EnCodecModel Create(JsonObject configuration, long seed, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var read = EnCodecConfiguration.Read(configuration, "The configuration");
        using var generator = new Generator((ulong)seed);
        return new EnCodecModel(configuration, read, WeightSource.Initialized(ScalarType.Float32, device ?? CPU, generator));
    }

    /// <summary>A configuration for <see cref="Create"/>; further entries are those of transformers' <c>EncodecConfig</c>.</summary>
    /// <param name="sampleRate">Samples a second.</param>
    /// <param name="bandwidths">Kilobits a second that one can choose from, the largest last: with it all codebooks are used.</param>
    /// <param name="filters">Feature maps beside the sound, doubled at each ratio.</param>
    /// <param name="ratios">How often the decoder multiplies the rate, in its order.</param>
    /// <param name="hiddenWidth">The width of the vectors that are quantized.</param>
    /// <param name="codebookSize">Codewords of each codebook.</param>
    /// <param name="recurrentLayers">Layers of long short-term memory in encoder and in decoder.</param>
    /// <param name="isCausal">Whether nothing is read of the future.</param>
    /// <param name="channels">1 for mono, 2 for stereo.</param>
    public static JsonObject Configure(
        int sampleRate, IReadOnlyList<double> bandwidths, int filters = 32, IReadOnlyList<int>? ratios = null, int hiddenWidth = 128,
        int codebookSize = 1024, int recurrentLayers = 2, bool isCausal = true, int channels = 1)
    {
        ArgumentNullException.ThrowIfNull(bandwidths);
        return new()
        {
            ["architectures"] = new JsonArray("EncodecModel"),
            ["model_type"] = EnCodecConfiguration.ModelType,
            ["sampling_rate"] = sampleRate,
            ["audio_channels"] = channels,
            ["target_bandwidths"] = new JsonArray([.. bandwidths.Select(bandwidth => JsonValue.Create(bandwidth))]),
            ["num_filters"] = filters,
            ["upsampling_ratios"] = new JsonArray([.. (ratios ?? [8, 5, 4, 2]).Select(ratio => JsonValue.Create(ratio))]),
            ["hidden_size"] = hiddenWidth,
            ["codebook_dim"] = hiddenWidth,
            ["codebook_size"] = codebookSize,
            ["num_lstm_layers"] = recurrentLayers,
            ["use_causal_conv"] = isCausal,
        };
    }

    /// <summary>Writes <c>config.json</c>, the weights and <c>preprocessor_config.json</c>, which tells transformers of the
    /// sounds.</summary>
    /// <inheritdoc/>
    public override void Save(string folder, ScalarType? storeAs = null)
    {
        base.Save(folder, storeAs);
        AtomicFile.WriteAllText(Path.Combine(folder, PreprocessorFile), new JsonObject
        {
            ["chunk_length_s"] = Configuration["chunk_length_s"]?.DeepClone(),
            ["feature_extractor_type"] = "EncodecFeatureExtractor",
            ["feature_size"] = Channels,
            ["overlap"] = Configuration["overlap"]?.DeepClone(),
            ["padding_side"] = "right",
            ["padding_value"] = 0.0m, // as a float is written there
            ["return_attention_mask"] = true,
            ["sampling_rate"] = SampleRate,
        }.ToJsonString(new() { WriteIndented = true }) + "\n");
    }

    /// <summary>The codes of a sound.</summary>
    /// <param name="sound">Of the codec's rate and channels; a sound shorter than a frame makes one frame, as if zeros followed.</param>
    /// <param name="bandwidth">One of <see cref="Bandwidths"/>; the first where null.</param>
    /// <exception cref="ArgumentException">The sound is empty, has another rate or other channels, or a sample is no finite
    /// number.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The codec has no such bandwidth.</exception>
    /// <exception cref="InsufficientMemoryException">The codec encodes a sound at once, and it is too long for the memory.</exception>
    /// <exception cref="ObjectDisposedException">The codec is disposed.</exception>
    public EnCodecCodes Encode(Waveform sound, double? bandwidth = null)
    {
        ArgumentNullException.ThrowIfNull(sound);
        if (sound.SampleRate != SampleRate || sound.Channels != Channels)
        {
            throw new ArgumentException(
                $"The sound has {sound.SampleRate} samples a second and {Text(sound.Channels)}; the codec takes {SampleRate} and "
                + $"{Text(Channels)}. Convert the sound first.", nameof(sound));
        }

        using var hold = Hold();
        using var samples = sound.ToTensor();
        using var batch = samples.unsqueeze(0).to(Device);
        return Encode(batch, null, bandwidth);

        static string Text(int channels) => channels == 1 ? "1 channel" : $"{channels} channels";
    }

    /// <summary>The codes of a batch of sounds.</summary>
    /// <param name="sounds">[B, C, L]; 1 is full scale.</param>
    /// <param name="paddingMask">[B, L]: 1 where there is a sound and 0 where it is filled up, which then counts as silence; null for
    /// sounds of one length. Codes of a filled sound may differ from those of the same sound alone, near its end or, where chunks are
    /// normalized, in its last chunk.</param>
    /// <param name="bandwidth">One of <see cref="Bandwidths"/>; the first where null.</param>
    /// <exception cref="ArgumentException">A shape is wrong, or a sample is no finite number.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The codec has no such bandwidth.</exception>
    /// <exception cref="InsufficientMemoryException">The codec encodes a sound at once, and it is too long for the memory.</exception>
    /// <exception cref="ObjectDisposedException">The codec is disposed.</exception>
    public EnCodecCodes Encode(Tensor sounds, Tensor? paddingMask = null, double? bandwidth = null)
    {
        CheckSounds(sounds, ChunkLength);
        if (paddingMask is not null && !paddingMask.shape.SequenceEqual([sounds.shape[0], sounds.shape[2]]))
        {
            throw new ArgumentException(
                $"The mask has shape [{string.Join(", ", paddingMask.shape)}]; expected [{sounds.shape[0]}, {sounds.shape[2]}].",
                nameof(paddingMask));
        }

        var count = CodebooksOf(bandwidth);
        using var hold = Hold();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var length = sounds.shape[2];
        var masked = paddingMask is null ? sounds : sounds * paddingMask.unsqueeze(1).to(sounds.dtype);
        var (codes, scales) = (new List<Tensor>(), new List<Tensor>());
        for (var start = 0L; start < length; start += ChunkStride ?? length)
        {
            var (embeddings, scale) = EmbedChunk(masked.narrow(2, start, Math.Min(ChunkLength ?? length, length - start)));
            codes.Add(Quantizer.Encode(embeddings, count));
            if (scale is not null)
                scales.Add(scale);
            embeddings.Dispose();
        }

        return EnCodecCodes.OfChunks(codes, scales, (int)length);
    }

    /// <summary>The vectors that a sound is quantized from, of a whole sound at once: features of sounds.</summary>
    /// <param name="sounds">[B, C, L].</param>
    /// <returns>[B, D, T].</returns>
    /// <exception cref="ArgumentException">The shape is wrong, or a sample is no finite number.</exception>
    /// <exception cref="InsufficientMemoryException">The sounds are too long for the memory.</exception>
    /// <exception cref="ObjectDisposedException">The codec is disposed.</exception>
    public Tensor Embed(Tensor sounds)
    {
        CheckSounds(sounds, longest: null);
        using var hold = Hold();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        return EmbedChunk(sounds).Embeddings.MoveToOuterDisposeScope();
    }

    /// <summary>The sounds of codes: [B, C, L].</summary>
    /// <param name="codes">As <see cref="Encode(Tensor, Tensor?, double?)"/> gives them.</param>
    /// <exception cref="ArgumentException">The codes are not of such a codec.</exception>
    /// <exception cref="ObjectDisposedException">The codec is disposed.</exception>
    public Tensor Decode(EnCodecCodes codes)
    {
        ArgumentNullException.ThrowIfNull(codes);
        if ((ChunkLength is null && codes.ChunkFrames.Count != 1) || (_configuration.Normalizes != codes.Scales is not null))
        {
            throw new ArgumentException(
                $"There are {codes.ChunkFrames.Count} chunks {(codes.Scales is null ? "without" : "with")} scales; the codec has "
                + $"{(ChunkLength is null ? "one chunk" : "chunks")} {(_configuration.Normalizes ? "with" : "without")} scales.",
                nameof(codes));
        }

        CheckCodes(codes.Codes, dimensions: 4);
        using var hold = Hold();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        CheckMemory(codes.Codes.shape[1], codes.ChunkFrames.Max() * (long)HopLength);
        var chunks = codes.ChunkFrames.Select((frames, chunk) =>
        {
            using var inner = NewDisposeScope();
            var decoded = Decoder.Forward(Quantizer.Decode(codes.Codes[chunk].narrow(2, 0, frames).to(Device)));
            if (codes.Scales is { } scales)
                decoded = decoded * scales[chunk].to(Device).view(-1, 1, 1);
            return decoded.MoveToOuterDisposeScope();
        }).ToList();
        var sounds = ChunkStride is { } stride ? OverlapAdd.Join(chunks, stride) : chunks[0];
        if (codes.Length is { } length && length < sounds.shape[2])
            sounds = sounds.narrow(2, 0, length);
        return sounds.MoveToOuterDisposeScope();
    }

    /// <summary>The sounds of the codes of a codec without chunks: [B, C, T times <see cref="HopLength"/>].</summary>
    /// <param name="codes">[B, Q, T], each less than <see cref="CodebookSize"/>.</param>
    /// <exception cref="ArgumentException">The shape is wrong, a code is out of range, or the codec has chunks.</exception>
    /// <exception cref="ObjectDisposedException">The codec is disposed.</exception>
    public Tensor Decode(Tensor codes)
    {
        CheckCodes(codes, dimensions: 3);
        using var scope = NewDisposeScope();
        return Decode(new EnCodecCodes(codes.unsqueeze(0))).MoveToOuterDisposeScope();
    }

    /// <summary>The sounds of codes, one for each row.</summary>
    /// <param name="codes">As <see cref="Encode(Waveform, double?)"/> gives them.</param>
    /// <exception cref="ArgumentException">The codes are not of such a codec.</exception>
    /// <exception cref="ObjectDisposedException">The codec is disposed.</exception>
    public IReadOnlyList<Waveform> DecodeSounds(EnCodecCodes codes)
    {
        using var scope = NewDisposeScope();
        var sounds = Decode(codes);
        return [.. Enumerable.Range(0, (int)sounds.shape[0]).Select(row => Waveform.FromTensor(sounds[row], SampleRate))];
    }

    /// <summary>How many codebooks a bandwidth uses.</summary>
    /// <param name="bandwidth">One of <see cref="Bandwidths"/>; the first where null.</param>
    /// <exception cref="ArgumentOutOfRangeException">The codec has no such bandwidth.</exception>
    public int CodebooksOf(double? bandwidth = null)
    {
        var chosen = bandwidth ?? Bandwidths[0];
        return Bandwidths.Contains(chosen) ? _configuration.CodebooksOf(chosen) : throw new ArgumentOutOfRangeException(
            nameof(bandwidth), chosen, $"The codec has the bandwidths {string.Join(", ", Bandwidths)} kbit/s.");
    }

    /// <summary>[B, C, L] to [B, D, T], and the scale [B, 1] that the sounds were divided by, where they were.</summary>
    internal (Tensor Embeddings, Tensor? Scale) EmbedChunk(Tensor sounds)
    {
        using var scope = NewDisposeScope();
        if (!_configuration.Normalizes)
            return (Encoder.Forward(sounds).MoveToOuterDisposeScope(), null);
        var scale = sounds.mean([1], keepdim: true).square().mean([2], keepdim: true).sqrt() + 1e-8; // [B, 1, 1]
        return (Encoder.Forward(sounds / scale).MoveToOuterDisposeScope(), scale.view(-1, 1).MoveToOuterDisposeScope());
    }

    /// <param name="sounds">Any tensor.</param>
    /// <param name="longest">The most samples that are encoded together; null for all.</param>
    private void CheckSounds(Tensor sounds, int? longest)
    {
        ArgumentNullException.ThrowIfNull(sounds);
        if (sounds.dim() != 3 || sounds.shape[1] != Channels || sounds.shape[0] < 1)
        {
            throw new ArgumentException(
                $"Sounds have shape [{string.Join(", ", sounds.shape)}]; expected [batch, {Channels}, samples].", nameof(sounds));
        }

        if (sounds.shape[2] is < 1 or > int.MaxValue)
            throw new ArgumentException($"Sounds have {sounds.shape[2]} samples; expected 1 or more.", nameof(sounds));
        if (sounds.dtype != ScalarType.Float32)
            throw new ArgumentException($"Samples are {sounds.dtype}; expected {ScalarType.Float32}.", nameof(sounds));
        CheckMemory(sounds.shape[0], Math.Min(sounds.shape[2], longest ?? sounds.shape[2]));
        using var scope = NewDisposeScope();
        var finite = sounds.isfinite();
        if (!finite.all().item<bool>())
        {
            var place = finite.logical_not().nonzero()[0].cpu().data<long>().ToArray();
            throw new ArgumentException(
                $"Sample {place[2]} of channel {place[1]} of sound {place[0]} is NaN or infinite.", nameof(sounds));
        }
    }

    private void CheckCodes(Tensor codes, int dimensions)
    {
        ArgumentNullException.ThrowIfNull(codes);
        if (codes.dim() != dimensions || codes.dtype != ScalarType.Int64 || codes.shape.Any(extent => extent < 1)
            || codes.shape[^2] > CodebookCount)
        {
            throw new ArgumentException(
                $"Codes are {codes.dtype} of shape [{string.Join(", ", codes.shape)}]; expected {ScalarType.Int64} of shape "
                + $"[{(dimensions == 4 ? "chunks, " : "")}batch, 1 to {CodebookCount} codebooks, frames].", nameof(codes));
        }

        using var scope = NewDisposeScope();
        var (least, most) = (codes.min().item<long>(), codes.max().item<long>());
        if (least < 0 || most >= CodebookSize)
            throw new ArgumentException($"Codes are from {least} to {most}; expected 0 to {CodebookSize - 1}.", nameof(codes));
    }

    private void CheckMemory(long batch, long samples)
    {
        if (Device.type != TorchSharp.DeviceType.CPU)
            return;
        var bytes = (double)batch * samples * _configuration.Filters * LiveValues * sizeof(float);
        var limit = ProcessMemory.Limit();
        if (bytes > limit)
        {
            throw new InsufficientMemoryException(
                $"{batch} x {TimeSpan.FromSeconds((double)samples / SampleRate):g} of sound at once would take about "
                + $"{bytes / (1 << 30):F0} GiB, but {limit / (1 << 30)} GiB are there. Encode or decode the sound in parts.");
        }
    }
}
