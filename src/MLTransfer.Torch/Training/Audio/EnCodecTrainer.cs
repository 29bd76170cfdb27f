using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Training.Ranks;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>Trains a codec on sounds (arXiv 2210.13438): a new one, or a pretrained one on sounds of another kind.</summary>
/// <remarks>
/// The same seed, sounds, options, machine and thread count give the same weights to the bit, also when the run is interrupted and resumed:
/// all randomness of a step comes from the seed and the step's number alone.
/// </remarks>
public sealed class EnCodecTrainer
{
    private readonly EnCodecModel _codec;
    private readonly EnCodecTrainingOptions _options;
    private readonly IReadOnlyList<Waveform> _training;
    private readonly IReadOnlyList<Waveform> _validation;
    private readonly SoundSegments _segments;
    private readonly int _samples;
    private readonly RowSchedule _rows;
    private readonly RunPlan _plan;

    /// <summary>Checks options and sounds.</summary>
    /// <param name="codec">Encoder, decoder and codebooks are trained.</param>
    /// <param name="options">How.</param>
    /// <param name="training">Sounds of the codec's rate and channels. The list is read again and again; it may read a sound when it is
    /// asked for.</param>
    /// <param name="validation">Held-out sounds for evaluations, early stopping and the best weights; null for none.</param>
    /// <exception cref="ArgumentException">An option or a sound is not usable; the message says which and why.</exception>
    public EnCodecTrainer(
        EnCodecModel codec, EnCodecTrainingOptions options, IReadOnlyList<Waveform> training, IReadOnlyList<Waveform>? validation = null)
    {
        ArgumentNullException.ThrowIfNull(codec);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(training);
        using var hold = codec.Hold();
        options.Check();
        RunRanks.Refuse(
            options, "the training of a codec",
            "its codebooks move with every pass and its losses are balanced by each. Train it in one process, on more threads.");
        var samples = options.SegmentSeconds * codec.SampleRate;
        if (samples < codec.HopLength || samples > int.MaxValue / options.BatchSize)
        {
            throw new ArgumentException(
                $"{nameof(options.SegmentSeconds)} is {options.SegmentSeconds}: {samples} samples; expected from {codec.HopLength}, a "
                + $"frame of codes, to {int.MaxValue / options.BatchSize}.", nameof(options));
        }

        _samples = (int)samples;
        options.Discriminator?.Check(_samples);
        if (training.Count == 0)
            throw new ArgumentException("There is nothing to train on: there are no sounds.", nameof(training));
        Check(codec, training, nameof(training));
        Check(codec, validation ?? [], nameof(validation));
        if (!codec.TrainableParameters().Any())
            throw new ArgumentException("There is nothing to train: all parameters of the codec are frozen.", nameof(codec));
        (_codec, _options, _training, _validation) = (codec, options, training, validation ?? []);
        _segments = new SoundSegments(training, _samples, codec.Channels);
        _rows = RowSchedule.Of(options, _segments.Count, epoch => options.Shuffle
            ? RowOrder.Shuffled(_segments.Count, options.Seed, epoch) : [.. Enumerable.Range(0, _segments.Count)]);
        _plan = RunPlan.Of(options, _rows, hasValidation: _validation.Count > 0, evaluatesStart: true);
    }

    /// <summary>What <see cref="Train"/> takes in memory, about.</summary>
    public MemoryEstimate EstimateMemory() => new EnCodecMemory(_codec, _options).Estimate();

    /// <summary>Runs the training. The codec is in evaluation mode afterwards, with its last or its best weights.</summary>
    /// <param name="progress">Told after every step, on this thread.</param>
    /// <param name="cancellationToken">
    /// Checked before every pass. On cancellation, and when <paramref name="progress"/> throws, codec and files are as after the last
    /// checkpoint, or, where there is none, as at the start.
    /// </param>
    /// <param name="stopAndKeep">
    /// Checked after every step: the run ends there as if it were the last one, with an evaluation, the weights that the options keep and,
    /// where there are checkpoints, one that a later run resumes from.
    /// </param>
    /// <exception cref="OperationCanceledException">
    /// The run was cancelled; the message says at which step, and which checkpoint is the last.
    /// </exception>
    /// <exception cref="InsufficientMemoryException">
    /// The run would take more memory than <see cref="TrainingOptions.MemoryLimit"/> allows; the message tells what would take less.
    /// </exception>
    /// <exception cref="TrainingDivergedException">
    /// A loss or gradient became NaN or infinite. The codec has the weights that were best on the validation sounds, else those of the last
    /// checkpoint before, else those of the start.
    /// </exception>
    /// <exception cref="InvalidDataException">The checkpoint to resume from is damaged, or was made with other sounds, options or another
    /// codec.</exception>
    /// <exception cref="IOException">A file cannot be written, for example because the disk is full.</exception>
    public EnCodecTrainingResult Train(
        IProgress<EnCodecProgress>? progress = null, CancellationToken cancellationToken = default, CancellationToken stopAndKeep = default)
    {
        using var hold = _codec.Hold();
        var memory = new EnCodecMemory(_codec, _options);
        if (_codec.Device.type == TorchSharp.DeviceType.CPU)
            MemoryCheck.Run(memory.Estimate(), _options, memory.Remedies);
        using var task = new EnCodecTask(_codec, _options, _segments, _training, _validation, _samples, _rows.StepsPerEpoch);
        var run = new TrainingRun<EnCodecProgress>(task, _options, _plan, _rows).Run(progress, cancellationToken, stopAndKeep);
        return new EnCodecTrainingResult
        {
            Steps = run.State.Step,
            ModelStep = run.ModelStep,
            InitialMelLoss = run.State.InitialValidationLoss,
            MelLoss = run.ValidationLoss,
            StoppedEarly = run.StoppedEarly,
            StoppedOnRequest = run.StoppedOnRequest,
            History = run.History,
            Elapsed = run.Elapsed,
        };
    }

    private static void Check(EnCodecModel codec, IReadOnlyList<Waveform> sounds, string name)
    {
        foreach (var (index, sound) in sounds.Index())
        {
            if (sound.SampleRate != codec.SampleRate || sound.Channels != codec.Channels)
            {
                throw new ArgumentException(
                    $"Sound {index} has {sound.SampleRate} samples a second and {sound.Channels} channels; the codec takes "
                    + $"{codec.SampleRate} and {codec.Channels}. Convert the sound first.", name);
            }

            if (sound.Frames == 0)
                throw new ArgumentException($"Sound {index} is empty.", name);
            var samples = sound.Samples;
            for (var i = 0; i < samples.Length; i++)
            {
                if (!float.IsFinite(samples[i]))
                {
                    throw new ArgumentException(
                        $"Sample {i % sound.Frames} of channel {i / sound.Frames} of sound {index} is NaN or infinite.", name);
                }
            }
        }
    }
}
