using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>
/// A network that speaks: characters to latent variables by a text encoder, durations and a flow, and these to samples by a HiFi-GAN
/// (VITS, arXiv 2106.06103), in the layout and with the numbers of transformers' <c>VitsModel</c>.
/// </summary>
/// <remarks>
/// <c>discriminator.safetensors</c> beside the weights, or tensors among them whose names begin with <c>discriminator.</c>, are what the
/// network was trained against: <see cref="Discriminator"/>. What is made of weights for speaking is kept: call <c>eval()</c> after
/// changing
/// a weight by hand.
/// </remarks>
public sealed class VitsModel : GenerativeNetwork
{
    /// <summary>The width of the vectors of speakers that are added to a network of one speaker: that of arXiv 2106.06103.</summary>
    private const int UsualSpeakerWidth = 256;

    private SpeechDiscriminator? _discriminator;

    private VitsModel(VitsConfiguration c, JsonObject configuration, WeightSource weights, bool normalizesDecoder)
        : base(VitsConfiguration.ModelType, configuration)
    {
        Sizes = c;
        TextEncoder = new TextEncoder(weights.Scope("text_encoder"), c, DropoutSource);
        Flow = new LatentFlow(weights.Scope("flow"), c, DropoutSource);
        Decoder = new WaveformDecoder(weights.Scope("decoder"), c, normalizesDecoder);
        register_module("text_encoder", TextEncoder);
        register_module("flow", Flow);
        register_module("decoder", Decoder);
        if (c.HasStochasticDurations)
        {
            StochasticDurations = new StochasticDurationPredictor(weights.Scope("duration_predictor"), c, DropoutSource);
            register_module("duration_predictor", StochasticDurations);
        }
        else
        {
            Durations = new DurationPredictor(weights.Scope("duration_predictor"), c, DropoutSource);
            register_module("duration_predictor", Durations);
        }

        PosteriorEncoder = new PosteriorEncoder(weights.Scope("posterior_encoder"), c, DropoutSource);
        register_module("posterior_encoder", PosteriorEncoder);
        if (c.Speakers > 1)
        {
            SpeakerTable = new Embedding(weights.Scope("embed_speaker"), c.Speakers, c.SpeakerWidth, Initialization.Normal(1));
            register_module("embed_speaker", SpeakerTable);
        }

        eval();
    }

    /// <summary>The number of characters and other tokens that it knows.</summary>
    public int VocabularySize => Sizes.VocabularySize;

    /// <summary>The number of voices; 1 for a network that does not tell speakers apart.</summary>
    public int SpeakerCount => Sizes.Speakers;

    /// <summary>Samples a second of what it speaks.</summary>
    public int SampleRate => Sizes.SampleRate;

    /// <summary>Samples of a frame, the unit of durations and of the spectrograms it is trained on.</summary>
    public int HopLength => Sizes.HopLength;

    /// <summary>Whether durations are drawn from a distribution; else they are the likeliest ones.</summary>
    public bool HasStochasticDurations => Sizes.HasStochasticDurations;

    /// <summary>What the network was trained against, where that is known; it is saved with the network and disposed with it.</summary>
    public SpeechDiscriminator? Discriminator
    {
        get => _discriminator;
        set
        {
            if (!ReferenceEquals(_discriminator, value))
                _discriminator?.Dispose();
            _discriminator = value;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> BlockPrefixes =>
        [.. Enumerable.Range(0, Sizes.Layers).Select(layer => $"text_encoder.encoder.layers.{layer}.")];

    /// <inheritdoc/>
    public override IReadOnlyList<string> DefaultLoraTargets => ["q_proj", "v_proj"];

    /// <inheritdoc/>
    public override bool IsEmbedding(string parameterName) =>
        parameterName is "text_encoder.embed_tokens.weight" or "embed_speaker.weight";

    internal override Embedding? TokenTable => TextEncoder.Table;

    internal VitsConfiguration Sizes { get; }

    internal TextEncoder TextEncoder { get; }

    internal LatentFlow Flow { get; }

    internal WaveformDecoder Decoder { get; }

    internal DurationPredictor? Durations { get; }

    internal StochasticDurationPredictor? StochasticDurations { get; }

    internal PosteriorEncoder PosteriorEncoder { get; }

    internal Embedding? SpeakerTable { get; }

    /// <summary>Loads a network from a folder in Hugging Face layout, in evaluation mode.</summary>
    /// <param name="folder">Has <c>config.json</c> and weights (see <see cref="Checkpoint.Open"/>).</param>
    /// <param name="dataType">The parameters' type; float32 where null.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported.</exception>
    public static new VitsModel Load(string folder, ScalarType? dataType = null, Device? device = null)
    {
        var configuration = ModelConfigurationFile.Read(folder);
        using var checkpoint = Checkpoint.Open(folder);
        var network = Load(configuration, checkpoint, folder, dataType, device);
        try
        {
            if (File.Exists(Path.Combine(folder, SpeechDiscriminator.FileName)))
                network.Discriminator = SpeechDiscriminator.Load(folder, device);
            else if (checkpoint.Tensors.Keys.Any(name => name.StartsWith(VitsNames.DiscriminatorPrefix, StringComparison.Ordinal)))
                network.Discriminator = SpeechDiscriminator.Load(checkpoint, device);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Builds a network from a configuration and named tensors, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="checkpoint">The weights. It may be disposed after the call.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="dataType">The parameters' type; float32 where null.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported.</exception>
    public static VitsModel Load(
        JsonObject configuration, Checkpoint checkpoint, string origin, ScalarType? dataType = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(checkpoint);
        var sizes = VitsConfiguration.Parse(configuration, $"{origin}: {ModelConfigurationFile.FileName}");
        var stored = checkpoint.Tensors.Keys;
        var network = new VitsModel(sizes, configuration, WeightSource.FromCheckpoint(
            checkpoint, origin, name => VitsNames.Find(name, checkpoint.Tensors.ContainsKey), dataType ?? ScalarType.Float32,
            device ?? CPU), normalizesDecoder: false);
        var taken = network.named_parameters().Select(p => VitsNames.Find(p.name, checkpoint.Tensors.ContainsKey)).ToHashSet();
        if (stored.FirstOrDefault(
            name => !taken.Contains(name) && !name.StartsWith(VitsNames.DiscriminatorPrefix, StringComparison.Ordinal)) is { } leftover)
        {
            network.Dispose();
            throw new InvalidDataException(
                $"{origin} has the tensor '{leftover}', which no part of the network takes that its {ModelConfigurationFile.FileName} "
                + "describes.");
        }

        return network;
    }

    /// <summary>Builds a network with new weights, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>; what it leaves out is as in transformers' <c>VitsConfig</c>.</param>
    /// <param name="seed">Decides on the weights.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration is malformed.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported.</exception>
    public static VitsModel Create(JsonObject configuration, long seed, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        using var generator = new Generator((ulong)seed);
        return new VitsModel(
            VitsConfiguration.Parse(configuration, "The configuration"), configuration.DeepClone().AsObject(),
            WeightSource.Initialized(ScalarType.Float32, device ?? CPU, generator), normalizesDecoder: false);
    }

    /// <summary>Speaks.</summary>
    /// <param name="input">What, and how.</param>
    /// <exception cref="ArgumentException">An id is not known, or a shape or a number is wrong; the message says which.</exception>
    /// <exception cref="InvalidOperationException">The durations are not numbers, or sum up to more than two hours.</exception>
    /// <exception cref="ObjectDisposedException">The network is disposed.</exception>
    public VitsOutput Forward(VitsInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var hold = Hold();
        return VitsInference.Run(this, input);
    }

    /// <summary>
    /// A network of more speakers with copies of this one's weights, adapters left out. The vectors of new speakers are the mean of those
    /// that there are, or a copy of one of them. Of a network of one speaker, whose voice is speaker 0 there, all speakers have that voice
    /// until they are trained.
    /// </summary>
    /// <param name="count">How many speakers there are to be.</param>
    /// <param name="seed">Decides on the vectors of speakers where there were none.</param>
    /// <param name="like">
    /// The speaker whose voice new speakers have until they are trained, from 0; null for the mean of all. A voice that is near to theirs,
    /// in pitch above all, leaves less to learn.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">There are as many speakers already, or no such speaker.</exception>
    public VitsModel WithSpeakers(int count, long seed = 0, int? like = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(count, SpeakerCount);
        ArgumentOutOfRangeException.ThrowIfNegative(like ?? 0, nameof(like));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(like ?? 0, SpeakerCount, nameof(like));
        var configuration = Configuration.DeepClone().AsObject();
        configuration["num_speakers"] = count;
        if (Sizes.SpeakerWidth == 0)
            configuration["speaker_embedding_size"] = UsualSpeakerWidth;
        using var generator = new Generator((ulong)seed);
        var network = Grown(configuration, new SilentConditionSource(WeightSource.Initialized(DataType, Device, generator)));
        if (like is { } known)
        {
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            var table = network.SpeakerTable!.Weight; // [count, speaker width]
            table.narrow(0, SpeakerCount, count - SpeakerCount).copy_(table.narrow(0, known, 1));
        }

        return network;
    }

    /// <summary>
    /// A network that knows further characters with copies of this one's weights, adapters left out. Rows of new characters are the mean of
    /// those that there are.
    /// </summary>
    /// <param name="size">The number of characters and other tokens to be.</param>
    /// <exception cref="ArgumentOutOfRangeException">The network knows as many already.</exception>
    public VitsModel WithVocabulary(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(size, VocabularySize);
        var configuration = Configuration.DeepClone().AsObject();
        configuration["vocab_size"] = size;
        return Grown(configuration, initialized: null);
    }

    /// <inheritdoc/>
    public override void Save(string folder, ScalarType? storeAs = null)
    {
        using var hold = Hold();
        base.Save(folder, storeAs);
        Discriminator?.Save(folder, storeAs);
    }

    /// <summary>A network with weights of its own, adapters left out.</summary>
    /// <param name="normalizesDecoder">Whether the decoder's weights are normalized there, as they are while they are trained.</param>
    internal VitsModel Copy(bool normalizesDecoder = false)
    {
        using var hold = Hold();
        return new VitsModel(
            Sizes, Configuration.DeepClone().AsObject(), new TensorWeightSource(CheckpointTensors()), normalizesDecoder);
    }

    /// <summary>Frees what was made of weights for speaking, since they have changed; no other thread may speak meanwhile.</summary>
    internal void FreeCopies()
    {
        foreach (var module in modules())
        {
            (module as TimeConvolution)?.Free();
            (module as TransposedConvolution)?.Free();
        }
    }

    /// <summary>A network on a device with weights of its own, adapters left out, and what it was trained against.</summary>
    internal VitsModel CopyTo(Device device)
    {
        using var hold = Hold();
        using var weights = new TensorCheckpoint("the network in memory", CheckpointTensors());
        var network = Load(Configuration.DeepClone().AsObject(), weights, weights.Location, DataType, device);
        network.Discriminator = Discriminator?.Copy(device);
        return network;
    }

    /// <summary>Vectors of speakers: [N] int64 to [N, speaker width, 1]; null where there are none.</summary>
    internal Tensor? Speakers(Tensor? ids) => ids is null || SpeakerTable is null ? null : SpeakerTable.call(ids).unsqueeze(-1);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _discriminator?.Dispose();
        base.Dispose(disposing);
    }

    private VitsModel Grown(JsonObject configuration, WeightSource? initialized)
    {
        using var hold = Hold();
        var network = new VitsModel(
            VitsConfiguration.Parse(configuration, "The configuration"), configuration,
            new TensorWeightSource(CheckpointTensors(), initialized), normalizesDecoder: false);
        network.Discriminator = Discriminator?.Copy();
        return network;
    }
}
