using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Images;

/// <summary>Makes pictures with a pretrained generator as it is; <see cref="Fit"/> trains nothing.</summary>
public sealed class PretrainedImageGeneratorEstimator : IEstimator<ImageGeneratorTransformer>
{
    private readonly IHost _host;
    private readonly string _model;
    private readonly GenerateImagesOptions _options;
    private readonly ImageGeneratorColumns _columns;

    internal PretrainedImageGeneratorEstimator(
        IHostEnvironment environment, string outputColumnName, string? inputColumnName, string model, GenerateImagesOptions options)
    {
        options.Check();
        (_model, _options) = (model, options);
        _columns = new ImageGeneratorColumns(outputColumnName, inputColumnName, options.LabelColumnName);
        _columns.CheckInput();
        _host = environment.Register(nameof(PretrainedImageGeneratorEstimator));
    }

    /// <summary>The schema after the transformer that <see cref="Fit"/> makes.</summary>
    /// <exception cref="ArgumentException">A column is missing, or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return _columns.GetOutputSchema(inputSchema, trainingColumn: null);
    }

    /// <summary>Loads the generator.</summary>
    /// <param name="input">Only its schema is read.</param>
    /// <exception cref="ArgumentException">A column is missing, or has another type or size.</exception>
    /// <exception cref="IOException">The model cannot be found or read.</exception>
    /// <exception cref="InvalidDataException">The model is damaged.</exception>
    public ImageGeneratorTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        GetOutputSchema(SchemaShape.Create(input.Schema));
        var model = StyleGan2Model.Load(PretrainedModels.ResolveImageFolder(_model));
        try
        {
            _options.CheckFor(model.Generator);
            _columns.FindInputs(input.Schema, model.Generator);
            return new ImageGeneratorTransformer(model, _columns, _options.Truncation, _options.Noise, _options.GenerationBatchSize, _options.Seed ?? Seeds.Of(_host));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}
