using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLTransfer.Logging;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using TorchSharp;

namespace MLTransfer.Text;

/// <summary>The options that every fine-tuning of a network of texts has, by the names that they have in its options class.</summary>
internal sealed record TextFineTuning
{
    public required string PretrainedModel { get; init; }

    /// <summary>The default of <see cref="PretrainedModel"/>, and what code calls it.</summary>
    public required (string Id, string Name) Standard { get; init; }

    public required ITransformer? BaseModel { get; init; }

    public required LanguageTrainingOptions Training { get; init; }

    public required LoraOptions? Lora { get; init; }

    public required IReadOnlyList<string>? AddTokens { get; init; }

    public required IReadOnlyList<string>? FrozenParameters { get; init; }

    public required int? TrainableBlocks { get; init; }

    public required double? Dropout { get; init; }

    public required int? MaximumLength { get; init; }

    public required double ValidationFraction { get; init; }

    public required IDataView? ValidationData { get; init; }

    public required bool SaveAdapterOnly { get; init; }

    public required CancellationToken CancellationToken { get; init; }

    /// <summary>Whether matrices of the base stay in a narrower type than float32 until they are trained.</summary>
    public bool KeepsMatrices => (Lora is not null || TrainableBlocks is not null || FrozenParameters is { Count: > 0 })
        && Training.ComputesWithNarrowMatrices(torch.CPU);

    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    public void Check()
    {
        OptionCheck.Training(Training);
        if (AddTokens?.Any(string.IsNullOrEmpty) == true)
            throw new ArgumentException($"{nameof(AddTokens)} holds an empty text; expected tokens.", nameof(AddTokens));
        Lora?.Check();
        if (string.IsNullOrWhiteSpace(PretrainedModel))
        {
            throw new ArgumentException(
                $"{nameof(PretrainedModel)} must be a folder, a hub id, a model zip or {Standard.Name}.", nameof(PretrainedModel));
        }

        if (BaseModel is not null)
            OptionCheck.OneBase(nameof(BaseModel), isOnly: true, PretrainedModel, Standard.Id);
        OptionCheck.FromZeroToLessThanOne(nameof(ValidationFraction), ValidationFraction);
        if (Dropout is { } dropout)
            OptionCheck.FromZeroToLessThanOne(nameof(Dropout), dropout);
        if (MaximumLength is { } length)
            OptionCheck.AtLeast(nameof(MaximumLength), length, 2);
        if (TrainableBlocks is { } blocks)
            OptionCheck.AtLeast(nameof(TrainableBlocks), blocks, 0);
        if (Lora is not null && (TrainableBlocks is not null || FrozenParameters is { Count: > 0 }))
        {
            var option = TrainableBlocks is not null ? nameof(TrainableBlocks) : nameof(FrozenParameters);
            throw new ArgumentException(
                $"{option} cannot be combined with {nameof(Lora)}, which freezes all parameters of the model.", option);
        }

        if (SaveAdapterOnly && Lora is null)
        {
            throw new ArgumentException(
                $"{nameof(SaveAdapterOnly)} needs {nameof(Lora)}: without it there are no adapters.", nameof(SaveAdapterOnly));
        }

        if (Training.EarlyStoppingPatience > 0 && ValidationData is null && ValidationFraction == 0)
        {
            throw new ArgumentException(
                $"{nameof(LanguageTrainingOptions.EarlyStoppingPatience)} needs {nameof(ValidationData)} or a {nameof(ValidationFraction)} "
                + "above 0.",
                nameof(LanguageTrainingOptions.EarlyStoppingPatience));
        }
    }

    /// <summary>Refuses options of a training on pairs of texts.</summary>
    /// <exception cref="ArgumentException">They are such.</exception>
    public static void CheckIsOfTexts(LanguageTrainingOptions training)
    {
        if (training.SequencesPerRow > 1)
        {
            throw new ArgumentException(
                $"Training is a {training.GetType().Name}, which is for ml.Transforms.Text.TunePreferences; give "
                + $"{nameof(LanguageTrainingOptions)}.", nameof(training));
        }
    }

    /// <summary>Loads or copies what training starts from.</summary>
    /// <param name="environment">For model files.</param>
    /// <param name="loaded">The base, where it is no matter of the options.</param>
    /// <param name="channel">Told how far a download has come.</param>
    public TextBaseModel<TModel> LoadBase<TModel>(IHostEnvironment environment, TModel? loaded, IChannel channel)
        where TModel : class, ITextModel<TModel>
    {
        var start = loaded is not null ? TextBaseModel<TModel>.CopyOf(loaded, KeepsMatrices)
            : BaseModel is { } transformer ? TextBaseModel<TModel>.CopyOf(transformer, KeepsMatrices)
            : TextBaseModel<TModel>.Load(
                environment, PretrainedModel, revision: null, new DownloadLog(channel), CancellationToken, KeepsMatrices);
        start = start.On(ComputeDevice.Of(environment), KeepsMatrices);
        return AddTokens is { Count: > 0 } tokens ? Ownership.Pass(start.Model, () => start.WithTokens(tokens)) : start;
    }

    /// <summary>The adapters with the rows of <see cref="AddTokens"/>, which a tokenizer has.</summary>
    public LoraOptions? LoraFor(TextTokenizer tokenizer) => Lora is null || AddTokens is not { Count: > 0 } tokens ? Lora
        : Lora with { TrainedTokens = [.. Lora.TrainedTokens.Union(tokens.Select(token => tokenizer.TokenToId(token)!.Value))] };

    /// <summary>Leaves the base with the adapters that are trained, its own or new ones, or with none.</summary>
    /// <returns>The model that the adapters are saved for; null where the whole model is saved.</returns>
    public BaseModelReference? Adapt<TModel>(TextBaseModel<TModel> start, long seed)
        where TModel : class, ITextModel<TModel>
    {
        var lora = LoraFor(start.Model.Tokenizer);
        var goesOn = lora is not null && start.HasAdapters(lora);
        BaseModelReference? saved = null;
        if (SaveAdapterOnly)
        {
            saved = goesOn ? start.AdaptersOf
                : start.Folder is { } folder
                    ? BaseModelReference.Create(PretrainedModel, folder, CancellationToken)
                    : null;
            if (saved is null)
            {
                throw new ArgumentException(
                    $"{nameof(SaveAdapterOnly)} needs a base that a file can name. Write {start.Name} as a folder "
                    + $"(ml.Generation.SaveModelFolder) and give that as {nameof(PretrainedModel)}.");
            }
        }

        if (goesOn)
            return saved;
        start.Merge();
        if (lora is not null)
            LowRankAdaptation.Attach(start.Model.Network, lora, seed);
        return saved;
    }

    /// <summary>Freezes what the options say.</summary>
    /// <param name="network">What is to be trained, with its adapters.</param>
    /// <param name="name">What messages call it.</param>
    public void Prepare(TransformerNetwork network, string name)
    {
        if (MaximumLength is { } length)
        {
            OptionCheck.AtMost(
                nameof(MaximumLength), length, network.Description.Stacks.Min(stack => stack.Context), $"the context length of '{name}'");
        }

        if (Dropout is { } dropout)
            network.Dropout = network.Dropout with { Embedding = dropout, Residual = dropout };
        if (TrainableBlocks is { } blocks)
        {
            OptionCheck.AtMost(nameof(TrainableBlocks), blocks, network.LayerCount, $"the number of blocks of '{name}'");
            ParameterFreezing.FreezeAllButLastBlocks(network, blocks);
        }

        if (FrozenParameters is { Count: > 0 } patterns)
            ParameterFreezing.FreezeByName(network, patterns);
        if (AddTokens is { Count: > 0 } && network.Lora is null && !network.TokenEmbedding.requires_grad)
        {
            throw new ArgumentException(
                $"{nameof(AddTokens)} would learn nothing: the token embedding of '{name}' is frozen. Train adapters "
                + $"({nameof(Lora)}), which train the rows of these tokens, or all weights.");
        }

        network.WidenTrained();
    }
}
