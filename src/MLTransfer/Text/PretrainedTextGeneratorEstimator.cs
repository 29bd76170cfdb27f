using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Text;

/// <summary>Makes a transformer that generates text with a pretrained model as it is. Fitting reads no data.</summary>
public sealed class PretrainedTextGeneratorEstimator : IEstimator<TextGeneratorTransformer>
{
    private readonly IHost _host;
    private readonly string? _folderOrHubId;
    private readonly TextGenerationModel? _model;
    private readonly GenerateTextOptions _options;
    private readonly TextGeneratorColumns _columns;

    internal PretrainedTextGeneratorEstimator(
        IHostEnvironment environment,
        string outputColumnName,
        string? inputColumnName,
        string? folderOrHubId,
        TextGenerationModel? model,
        GenerateTextOptions options)
    {
        options.Check();
        if (model?.Network.Lora is not null)
            throw new ArgumentException("The model has LoRA adapters. Merge them into its weights first.", nameof(model));
        _columns = TextGeneratorColumns.Create(outputColumnName, inputColumnName, options);
        (_folderOrHubId, _model, _options) = (folderOrHubId, model, options);
        _host = environment.Register(nameof(PretrainedTextGeneratorEstimator));
    }

    /// <summary>The schema after the transformer that <see cref="Fit"/> makes.</summary>
    /// <exception cref="ArgumentException">The input column is missing, or does not hold text.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return _columns.GetOutputSchema(inputSchema, withTraining: false);
    }

    /// <summary>Loads the model, where it is not loaded yet.</summary>
    /// <param name="input">Only its schema is looked at.</param>
    /// <exception cref="ArgumentException">The input column is missing, or does not hold text.</exception>
    /// <exception cref="IOException">The model cannot be found or read.</exception>
    public TextGeneratorTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        GetOutputSchema(SchemaShape.Create(input.Schema));
        return new TextGeneratorTransformer(
            _model ?? LoadModel(), ownsModel: _model is null, _columns, Seeds.Fix(_options.Generation, Seeds.Of(_host)),
            _options.GenerationBatchSize, _options.DecodingPrecision, _options.WeightType);
    }

    private TextGenerationModel LoadModel()
    {
        using var channel = _host.Start("Loading a text generator");
        return TextGenerationModel.Load(
            PretrainedModels.ResolveFolder(_folderOrHubId!, revision: null, new TrainingLog(channel, next: null), CancellationToken.None));
    }
}
