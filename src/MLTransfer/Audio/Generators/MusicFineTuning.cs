using System.Globalization;
using MLTransfer.Logging;
using MLTransfer.Text;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML.Runtime;

namespace MLTransfer.Audio.Generators;

/// <summary>Trains a MusicGen: adapters of its decoder, or all its weights.</summary>
internal sealed class MusicFineTuning : AudioFineTuning
{
    /// <summary>Where a run's folder has the codes of its sounds.</summary>
    private const string CodeFolder = "codes";

    private readonly MusicGenerationModel _model;
    private readonly MusicTrainingOptions _training;

    public MusicFineTuning(AudioBaseModel start, AudioGeneratorOptions options, long seed, IChannel channel)
        : base(start, options, seed, channel)
    {
        _model = (MusicGenerationModel)start.Model;
        var training = OptionCheck.TrainingOf<MusicTrainingOptions>(options.Training, $"the MusicGen '{start.Name}'");
        _training = training with { Seed = seed, SampleGeneration = training.SampleGeneration ?? options.Music };
    }

    private LoraOptions? Lora => Options.AllWeights ? null : Options.Lora ?? new LoraOptions();

    protected override MusicTrainingResult Train(AudioTrainingReader training, AudioTrainingReader? validation)
    {
        var stop = Options.CancellationToken;
        if (Options.SaveAdapterOnly)
        {
            AdaptersOf = Folder is { } folder
                ? BaseModelReference.Create(Options.PretrainedModel!, folder, stop)
                : throw new ArgumentException(
                    $"{nameof(Options.SaveAdapterOnly)} needs a base that a file can name. Write {Name} as a folder "
                    + $"(ml.Generation.SaveModelFolder) and give that as {nameof(Options.PretrainedModel)}.");
        }

        if (Lora is { } lora)
            LowRankAdaptation.Attach(_model.Network, lora, Seed);
        var report = Count(training.Read(stop)); // every row is checked before the first is encoded, which takes long
        if (validation is not null)
            Count(validation.Read(stop));
        Channel.Info($"Training data: {report}.");

        var options = TrainingObserver.Place(_training);
        var cache = new SoundCodeCache(
            _model.Network, options.OwnDirectory is { } run ? Path.Combine(run, CodeFolder) : null);
        List<MusicExample> rows = [.. Encode(training, cache, report.Sounds)];
        var heldOut = HeldOut(rows.Count);
        List<MusicExample> held = validation is null ? rows[^heldOut..] : [.. Encode(validation, cache, sounds: null)];
        var trainer = new MusicTrainer(_model.Network, options, rows[..^heldOut], held, _model.Tokenizer);
        Channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Fine-tuning the MusicGen '{Name}' on {rows.Count - heldOut} sounds, {held.Count} for evaluation, by "
            + $"{(Lora is null ? "all weights of its decoder" : "adapters")}. Memory: {trainer.EstimateMemory()}."));
        ComputationLog.Tell(Channel, trainer.Computation);
        var log = new AudioTrainingLog<MusicProgress>(Channel, Options.Progress, Describe);
        var result = trainer.Train(log, stop, Options.StopAndKeep);
        log.Finished(result);
        Model.Card = CreateCard(
            report,
            [
                ("loss of the last step", result.History.LastOrDefault(step => step.Loss is not null)?.Loss),
                ("validation loss before", result.InitialValidationLoss), ("validation loss", result.ValidationLoss),
                ("steps", result.Steps),
            ],
            trainer.Computation.Fix(_training), Lora);
        if (Lora is not null && AdaptersOf is null)
            LowRankAdaptation.Merge(_model.Network);
        return result;
    }

    private IEnumerable<MusicExample> Encode(AudioTrainingReader reader, SoundCodeCache cache, int? sounds)
    {
        var done = 0;
        foreach (var row in reader.Read(Options.CancellationToken))
        {
            yield return new MusicExample(row.Text, cache.Encode(row.Sound));
            if (++done % 100 == 0)
                Channel.Info($"{done}{(sounds is null ? "" : $" of {sounds}")} sounds are codes.");
        }
    }

    private static IEnumerable<string> Describe(MusicProgress value, bool isDue)
    {
        if (value.Loss is { } loss && isDue)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"Step {value.Step} of {value.TotalSteps}, epoch {value.Epoch:0.00}: loss {loss:0.0000}, learning rate "
                + $"{value.LearningRate:0.0e+0}, {value.FramesPerSecond:0} frames/s, {value.Remaining:hh\\:mm\\:ss} left.");
        }

        if (value.Validation is { } validation)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"Step {value.Step}: validation loss {validation.Loss:0.0000} nats a code, of codebooks "
                + $"{string.Join(", ", validation.CodebookLosses.Select(l => l.ToString("0.00", CultureInfo.InvariantCulture)))}.");
        }
    }
}
