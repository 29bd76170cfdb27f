using Microsoft.Extensions.AI;
using Microsoft.ML;
using MLTransfer;
using MLTransfer.Extensions.AI;

namespace Serve;

/// <summary>The models that are served, each under an id.</summary>
public sealed class ServedModels : IDisposable
{
    private readonly List<IDisposable> _models = [];

    private ServedModels(ITransformer text, string id)
    {
        _models.Add((IDisposable)text);
        Chat = new(id, text.AsChatClient(id));
        Embeddings = new(id, text.AsEmbeddingGenerator(id));
    }

    public Served<IChatClient> Chat { get; }

    public Served<IEmbeddingGenerator<string, Embedding<float>>> Embeddings { get; }

    public Served<IImageGenerator>? Images { get; private set; }

    public Served<ITextToSpeechClient>? Speech { get; private set; }

    /// <summary>The ids, each once.</summary>
    public IEnumerable<string> Ids =>
        new[] { Chat.Id, Embeddings.Id, Images?.Id, Speech?.Id }.OfType<string>().Distinct(StringComparer.Ordinal);

    /// <param name="text">A model zip with a text generator; null for the embedded model of tales.</param>
    /// <param name="image">A model zip with an image generator; null for none.</param>
    /// <param name="speech">A model zip with a VITS; null for none.</param>
    public static ServedModels Load(string? text = null, string? image = null, string? speech = null)
    {
        var ml = new MLContext();
        var models = text is null ? new ServedModels(Tales(ml), "tales") : new ServedModels(ml.Model.Load(text, out _), IdOf(text));
        try
        {
            if (image is not null)
                models.Images = new(IdOf(image), models.Add(ml.Model.Load(image, out _)).AsImageGenerator(IdOf(image)));
            if (speech is not null)
                models.Speech = new(IdOf(speech), models.Add(ml.Model.Load(speech, out _)).AsTextToSpeechClient(IdOf(speech)));
            return models;
        }
        catch
        {
            models.Dispose();
            throw;
        }
    }

    public void Dispose() => _models.ForEach(model => model.Dispose());

    private static TextGeneratorTransformer Tales(MLContext ml) => ml.Transforms.Text.GenerateText("Continuation", "Prompt", options: new()
    {
        Generation = new() { MaximumNewTokens = 200, Sample = true, Temperature = 0.8, TopP = 0.95 },
    }).Fit(ml.Data.LoadFromEnumerable(Array.Empty<Opening>()));

    private static string IdOf(string path) => Path.GetFileNameWithoutExtension(path);

    private ITransformer Add(ITransformer model)
    {
        _models.Add((IDisposable)model);
        return model;
    }

    private sealed class Opening
    {
        public string Prompt { get; set; } = "";
    }
}

/// <summary>A client under the id that requests name it by.</summary>
public sealed record Served<T>(string Id, T Client);
