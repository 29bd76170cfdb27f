using System.Text.Json.Nodes;
using MLTransfer.Persistence;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Hub;
using MLTransfer.Torch.Layers;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using static TorchSharp.torch;

namespace MLTransfer.Text;

/// <summary>What training or generation starts from, in memory of its own.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Model">The model; belongs to whom this was made for.</param>
/// <param name="Folder">Where its weights are in Hugging Face layout; null where they are in no folder.</param>
/// <param name="AdaptersOf">The model that its adapters were trained on, where it has such and a file can name it.</param>
internal sealed record TextBaseModel<TModel>(
    string Name, TModel Model, string? Folder = null, BaseModelReference? AdaptersOf = null)
    where TModel : class, ITextModel<TModel>
{
    /// <summary>Loads a model zip, a folder in Hugging Face layout, a model of a hub or an embedded one.</summary>
    /// <param name="environment">For model files.</param>
    /// <param name="name">What is loaded.</param>
    /// <param name="revision">Of a hub's model; null for the newest.</param>
    /// <param name="progress">Told of a download.</param>
    /// <param name="cancellationToken">Stops a download.</param>
    /// <param name="keepsMatrices">Whether matrices of a folder stay in the type of its file.</param>
    public static TextBaseModel<TModel> Load(
        IHostEnvironment environment, string name, string? revision, IProgress<DownloadProgress>? progress,
        CancellationToken cancellationToken, bool keepsMatrices = false)
    {
        if (ModelZip.Is(name))
        {
            var transformer = ModelZip.Take<ITextModelOwner<TModel>>(environment, name, TModel.Wanted);
            return new TextBaseModel<TModel>(name, transformer.Model, AdaptersOf: transformer.BaseModel); // on the context's device
        }

        var folder = PretrainedModels.ResolveFolder(name, revision, progress, cancellationToken);
        return new TextBaseModel<TModel>(name, TModel.Load(name, folder, keepsMatrices), folder)
            .On(ComputeDevice.Of(environment), keepsMatrices);
    }

    /// <summary>Copies the model of a transformer, or of a chain with one, which stays as it is.</summary>
    /// <exception cref="ArgumentException">There is none of the kind.</exception>
    public static TextBaseModel<TModel> CopyOf(ITransformer transformer, bool keepsMatrices) => TransformerChain
        .Find<ITextModelOwner<TModel>>(transformer, TModel.Wanted).Found.CopyModel(keepsMatrices);

    /// <summary>Copies a model, which stays as it is.</summary>
    /// <exception cref="ArgumentException">Its weights are quantized.</exception>
    public static TextBaseModel<TModel> CopyOf(TModel model, bool keepsMatrices, BaseModelReference? adaptersOf = null) =>
        new("the loaded model", CopyOf(model, keepsMatrices, model.Network.Device), AdaptersOf: adaptersOf);

    /// <summary>The model on a device; it is disposed where the result is another.</summary>
    public static TModel MoveTo(TModel model, Device device, bool keepsMatrices = false)
    {
        if (ComputeDevice.IsSame(model.Network.Device, device))
            return model;
        using (model)
            return CopyOf(model, keepsMatrices, device);
    }

    private static TModel CopyOf(TModel model, bool keepsMatrices, Device device)
    {
        var source = model.Network;
        if (source.IsQuantized)
        {
            throw new ArgumentException(
                "The base model's weights are quantized (int8 or int4), which nothing is trained from. Give the transformer or the zip "
                + "that it comes from.");
        }

        var network = source.Copy(keepsMatrices, device);
        return Ownership.Pass(network, () =>
        {
            if (source.Lora is not null)
                PeftAdapterFolder.Copy(source, network);
            var copy = TModel.Create(network, model.Tokenizer, "the loaded model");
            copy.TakeNotes(model);
            return copy;
        });
    }

    /// <summary>The model on a device; the one before is disposed where the result is another.</summary>
    public TextBaseModel<TModel> On(Device device, bool keepsMatrices) => this with { Model = MoveTo(Model, device, keepsMatrices) };

    /// <summary>The model with further tokens; adapters that it has become part of its weights where a token is really new.</summary>
    public TextBaseModel<TModel> WithTokens(IReadOnlyList<string> tokens)
    {
        var tokenizer = Model.Tokenizer.WithTokens(tokens);
        return tokenizer.VocabularySize == Model.Tokenizer.VocabularySize
            ? this : this with { Model = ITextModel<TModel>.WithTokenizer(Merge(), tokenizer), AdaptersOf = null };
    }

    /// <summary>The model without adapters: those that it has become part of its weights.</summary>
    public TModel Merge()
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
