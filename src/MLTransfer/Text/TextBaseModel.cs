using System.Text.Json.Nodes;
using MLTransfer.Persistence;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Hub;
using MLTransfer.Torch.Layers;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLTransfer.Text;

/// <summary>The text generator that training or generation starts from, in memory of its own.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Model">The model; belongs to whom this was made for.</param>
/// <param name="Folder">Where its weights are in Hugging Face layout; null where they are in no folder.</param>
/// <param name="AdaptersOf">The model that its adapters were trained on, where it has such and a file can name it.</param>
internal sealed record TextBaseModel(
    string Name, TextGenerationModel Model, string? Folder = null, BaseModelReference? AdaptersOf = null)
{
    /// <summary>What an error calls a model without one.</summary>
    public const string Wanted = "no text generator";

    /// <summary>Loads a model zip, a folder in Hugging Face layout, a model of a hub or an embedded one.</summary>
    public static TextBaseModel Load(
        IHostEnvironment environment, string name, string? revision, IProgress<DownloadProgress>? progress,
        CancellationToken cancellationToken)
    {
        if (ModelZip.Is(name))
        {
            var transformer = ModelZip.Take<TextGeneratorTransformer>(environment, name, Wanted);
            return new TextBaseModel(name, transformer.Model, AdaptersOf: transformer.BaseModel);
        }

        var folder = PretrainedModels.ResolveFolder(name, revision, progress, cancellationToken);
        return new TextBaseModel(name, TextGenerationModel.Load(name, folder), folder);
    }

    /// <summary>Copies the model of a transformer, or of a chain with one, which stays as it is.</summary>
    /// <exception cref="ArgumentException">There is no text generator.</exception>
    public static TextBaseModel CopyOf(ITransformer transformer) =>
        TransformerChain.Find<TextGeneratorTransformer>(transformer, Wanted).Found.CopyModel();

    /// <summary>Copies a model, which stays as it is.</summary>
    /// <exception cref="ArgumentException">Its weights are int8 numbers.</exception>
    public static TextBaseModel CopyOf(TextGenerationModel model, BaseModelReference? adaptersOf = null)
    {
        var source = model.Network;
        if (source.IsQuantized)
        {
            throw new ArgumentException(
                "The base model's weights are int8 numbers, which nothing is trained from. Give the transformer or the zip that it "
                + "comes from.");
        }

        var network = source.Copy();
        return Ownership.Pass(network, () =>
        {
            if (source.Lora is not null)
                PeftAdapterFolder.Copy(source, network);
            return new TextBaseModel("the loaded model", new TextGenerationModel(network, model.Tokenizer)
                {
                    Card = model.Card, PublishedEnds = model.PublishedEnds,
                },
                AdaptersOf: adaptersOf);
        });
    }

    /// <summary>The model without adapters: those that it has become part of its weights.</summary>
    public TextGenerationModel Merge()
    {
        if (Model.Network.Lora is not null)
            LowRankAdaptation.Merge(Model.Network);
        return Model;
    }

    /// <summary>Whether the model has adapters of the wanted kind, so that they are trained on.</summary>
    public bool HasAdapters(LoraOptions wanted)
    {
        if (Model.Network.Lora is not { } present)
            return false;
        return JsonNode.DeepEquals(Settings(LoraTargets.Named(Model.Network, wanted)), Settings(present));

        static JsonObject Settings(LoraOptions options) =>
            PeftConfiguration.Format(options, baseModel: null, taskType: null, isInputByOutput: false);
    }
}
