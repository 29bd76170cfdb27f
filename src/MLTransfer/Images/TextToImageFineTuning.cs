using System.Globalization;
using System.Runtime.InteropServices;
using MLTransfer.Cards;
using MLTransfer.Columns;
using MLTransfer.Logging;
using MLTransfer.Text;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Images;

/// <summary>Trains a network that writes codes of pictures: adapters, or all its weights.</summary>
internal sealed class TextToImageFineTuning
{
    /// <summary>Where a run's folder has the codes of its pictures.</summary>
    private const string CodeFolder = "codes";

    private readonly TextToImageBase _start;
    private readonly ImageGeneratorOptions _options;
    private readonly TextToImageTrainingOptions _training;
    private readonly LoraOptions? _lora;
    private readonly long _seed;

    /// <exception cref="ArgumentException">An option does not fit the network.</exception>
    public TextToImageFineTuning(TextToImageBase start, ImageGeneratorOptions options, long seed)
    {
        options.CheckFor(start.Network, start.Tokenizer);
        (_start, _options, _seed) = (start, options, seed);
        var training = OptionCheck.TrainingOf<TextToImageTrainingOptions>(
            options.Training, $"the {start.Network.GetName()} '{start.Name}'");
        _training = training with { Seed = seed, SampleGeneration = training.SampleGeneration ?? options.TextToImage };
        _lora = options.AllWeights ? null : WithWords(options.Lora ?? new LoraOptions());
    }

    /// <summary>Counts the rows, and checks each.</summary>
    /// <exception cref="ArgumentException">A column is not usable, or there are no rows.</exception>
    /// <exception cref="InvalidOperationException">A row is not usable.</exception>
    public ImageDataReport Count(IDataView data, TextToImageColumns columns, string trainingColumn)
    {
        var (images, withoutText, duplicates) = (0, 0, new DuplicateCounter());
        foreach (var (pixels, text) in Reader(data, columns, trainingColumn).Read(_options.CancellationToken))
        {
            images++;
            withoutText += text is null ? 1 : 0;
            duplicates.Add(MemoryMarshal.AsBytes<float>(pixels));
        }

        return images == 0 ? throw new ArgumentException("There is nothing to train on: the data has no rows.") : new ImageDataReport
        {
            Images = images,
            Resolution = TextToImageKind.SideOf(_start.Network),
            Channels = 3,
            DuplicateImages = duplicates.Count,
            ImagesByLabel = [],
            ImagesWithoutText = withoutText,
        };
    }

    /// <summary>What training takes in memory.</summary>
    public MemoryEstimate EstimateMemory()
    {
        Attach();
        return TrainingMemory.Estimate(_start.Network, _training);
    }

    /// <summary>Trains the network.</summary>
    public TextToImageTransformer Train(IDataView data, TextToImageColumns columns, string trainingColumn, IChannel channel)
    {
        var (network, stop) = (_start.Network, _options.CancellationToken);
        BaseModelReference? adaptersOf = null;
        if (_options.SaveAdapterOnly)
        {
            adaptersOf = _start.Folder is { } folder
                ? BaseModelReference.Create(_options.PretrainedModel, folder, stop)
                : throw new ArgumentException(
                    $"{nameof(_options.SaveAdapterOnly)} needs a base that a file can name. Write {_start.Name} as a folder "
                    + $"(ml.Generation.SaveModelFolder) and give that as {nameof(_options.PretrainedModel)}.");
        }

        Attach();
        var report = Count(data, columns, trainingColumn); // every row is checked before the first is encoded, which takes long
        channel.Info($"Training data: {report}.");
        var options = TrainingObserver.Place(_training);
        var cache = new ImageCodeCache(network, options.OwnDirectory is { } run ? Path.Combine(run, CodeFolder) : null);
        var rows = Encode(Reader(data, columns, trainingColumn), cache, channel, report.Images);
        var heldOut = HeldOut(rows.Count);
        var held = _options.ValidationData is { } validation
            ? Encode(Reader(validation, columns, trainingColumn), cache, channel, images: null) : rows[^heldOut..];
        var trainer = new TextToImageTrainer(network, options, rows[..^heldOut], held, _start.Tokenizer);
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Fine-tuning the {network.GetName()} '{_start.Name}' on {rows.Count - heldOut} pictures, {held.Count} for evaluation, by "
            + $"{(_lora is null ? "all weights" : "adapters")}. Memory: {trainer.EstimateMemory()}."));
        ComputationLog.Tell(channel, trainer.Computation);
        var log = new TextToImageTrainingLog(channel, _options.RunProgress);
        var result = trainer.Train(log, stop, _options.StopAndKeep);
        log.Finished(result);
        if (_lora is not null && adaptersOf is null)
            LowRankAdaptation.Merge(network);
        return new TextToImageTransformer(
            network, _start.Tokenizer, columns, _options.TextToImage, _options.GenerationBatchSize, _seed)
        {
            TextToImageResult = result,
            AdaptersOf = adaptersOf,
            Card = ModelCard.OfTraining(
                _start.Origin,
                [new("images", $"{report.Images}"), new("pixels", $"{report.Resolution}x{report.Resolution}")],
                [
                    ("loss of the last step", result.History.LastOrDefault(step => step.Loss is not null)?.Loss),
                    ("validation loss before", result.InitialValidationLoss), ("validation loss", result.ValidationLoss),
                    ("steps", result.Steps),
                ],
                trainer.Computation.Fix(_training), _lora),
        };
    }

    private void Attach()
    {
        if (_lora is not null)
            LowRankAdaptation.Attach(_start.Network, _lora, _seed);
    }

    /// <summary>Adapters that train the rows of new words' tokens too.</summary>
    private LoraOptions WithWords(LoraOptions lora)
    {
        if (_options.TrainedWords is not { Count: > 0 } words)
            return lora;
        var ids = words.SelectMany(word => CaptionWords.Pieces(_start.Tokenizer!, word));
        return lora with { TrainedTokens = [.. lora.TrainedTokens.Concat(ids).Distinct()] };
    }

    /// <summary>How many of the rows are held out: the last ones.</summary>
    private int HeldOut(int rows) => _options.ValidationData is not null || _options.ValidationFraction == 0 || rows < 2
        ? 0 : Math.Clamp((int)Math.Round(rows * _options.ValidationFraction), 1, rows - 1);

    private List<TextToImageExample> Encode(TextToImageTrainingReader reader, ImageCodeCache cache, IChannel channel, int? images)
    {
        var rows = new List<TextToImageExample>();
        foreach (var (pixels, text) in reader.Read(_options.CancellationToken))
        {
            rows.Add(new TextToImageExample(text, cache.Encode(pixels)));
            if (rows.Count % 1000 == 0)
                channel.Info($"{rows.Count}{(images is null ? "" : $" of {images}")} pictures are codes.");
        }

        return rows;
    }

    private TextToImageTrainingReader Reader(IDataView data, TextToImageColumns columns, string trainingColumn) =>
        new(data, trainingColumn, columns, _start.Network, _start.Tokenizer);
}
