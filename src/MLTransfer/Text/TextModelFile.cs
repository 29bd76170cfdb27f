using MLTransfer.Persistence;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Text;

/// <summary>
/// A network of texts in a model file: the files of its folder in Hugging Face layout (<c>config.json</c>, <c>model.safetensors</c> and the
/// tokenizer's); or, where only adapters are saved, <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// </summary>
internal static class TextModelFile
{
    private const string ConfigurationName = "config.json";
    private const string WeightsName = "model.safetensors";

    /// <param name="writer">Writes files.</param>
    /// <param name="model">The model.</param>
    /// <param name="baseModel">The model that the adapters belong to, where only they are saved.</param>
    /// <param name="weightType">The number format of stored weights.</param>
    public static void Write(ModelPartWriter writer, ITextModel model, BaseModelReference? baseModel, WeightType weightType)
    {
        var network = model.Network;
        if (baseModel is not null)
        {
            writer.AddText(PeftAdapterFolder.ConfigurationFileName, PeftAdapterFolder.FormatConfiguration(network, baseModel.Id));
            writer.AddWeights(PeftAdapterFolder.WeightsFileName, PeftAdapterFolder.Tensors(network), weightType.ToScalarType());
            if (network.Lora!.TrainedTokens.Count > 0) // which the base's tokenizer may not have
                AddTokenizer();
            return;
        }

        AddTokenizer();
        writer.AddText(ConfigurationName, network.Configuration.ToJsonString());
        writer.AddWeights(WeightsName, network.CheckpointTensors(), weightType.ToScalarType());

        void AddTokenizer()
        {
            foreach (var (name, content) in model.Tokenizer.Files)
                writer.AddText(name, content);
        }
    }

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="InvalidOperationException">
    /// The file holds only adapters, and the model that they need is not there or is another one.
    /// </exception>
    public static TModel Read<TModel, TManifest>(ModelPartReader<TManifest> reader, BaseModelReference? baseModel, Device device)
        where TModel : class, ITextModel<TModel>
        where TManifest : ModelManifest
    {
        var model = baseModel is null ? ReadWhole<TModel, TManifest>(reader) : ReadAdapted<TModel, TManifest>(reader, baseModel);
        model.Card = reader.Manifest.Card;
        return TextBaseModel<TModel>.MoveTo(model, device);
    }

    /// <summary>A model with its adapters merged, as a new object.</summary>
    public static TModel LoadMerged<TModel>(TModel adapted, BaseModelReference baseModel)
        where TModel : class, ITextModel<TModel>
    {
        using var hold = adapted.Network.Hold();
        var merged = ITextModel<TModel>.WithTokenizer(LoadBase<TModel>(baseModel), adapted.Tokenizer);
        merged.Card = adapted.Card;
        PeftAdapterFolder.Copy(adapted.Network, merged.Network);
        LowRankAdaptation.Merge(merged.Network);
        return merged;
    }

    private static TModel ReadWhole<TModel, TManifest>(ModelPartReader<TManifest> reader)
        where TModel : class, ITextModel<TModel>
        where TManifest : ModelManifest
    {
        reader.Find(WeightsName); // before the tokenizer is read
        var configuration = reader.ReadJson(ConfigurationName);

        // The tokenizer's tables are built while the weights are read.
        var tokenizerFiles = ReadTokenizer(reader);
        var tokenizer = Task.Run(() => TextTokenizer.Load(tokenizerFiles));
        TransformerNetwork network;
        try
        {
            using var checkpoint = reader.ReadWeights(WeightsName);
            checkpoint.IsReadOnce = true;
            network = TransformerNetwork.Load(configuration, checkpoint, reader.Origin);
        }
        finally
        {
            ((IAsyncResult)tokenizer).AsyncWaitHandle.WaitOne(); // whatever happens, nothing is left running
        }

        return Ownership.Pass(network, () => TModel.Create(network, tokenizer.GetAwaiter().GetResult(), reader.Origin));
    }

    private static TModel ReadAdapted<TModel, TManifest>(ModelPartReader<TManifest> reader, BaseModelReference baseModel)
        where TModel : class, ITextModel<TModel>
        where TManifest : ModelManifest
    {
        var configuration = reader.ReadJson(PeftAdapterFolder.ConfigurationFileName);
        using var adapters = reader.ReadWeights(PeftAdapterFolder.WeightsFileName);
        var model = LoadBase<TModel>(baseModel);
        if (ReadTokenizer(reader) is { Count: > 0 } tokenizer)
            model = Ownership.Pass(model, () => ITextModel<TModel>.WithTokenizer(model, TextTokenizer.Load(tokenizer)));
        return Ownership.Pass(model, () =>
        {
            PeftAdapterFolder.Load(model.Network, configuration, adapters, reader.Origin);
            return model;
        });
    }

    private static Dictionary<string, byte[]> ReadTokenizer<TManifest>(ModelPartReader<TManifest> reader)
        where TManifest : ModelManifest => reader.Manifest.Files
        .Where(file => file.Name is not (WeightsName or ConfigurationName or PeftAdapterFolder.WeightsFileName
            or PeftAdapterFolder.ConfigurationFileName))
        .ToDictionary(file => file.Name, file => reader.ReadBytes(file.Name, FileKind.Tokenizer));

    private static TModel LoadBase<TModel>(BaseModelReference baseModel)
        where TModel : class, ITextModel<TModel>
    {
        var folder = baseModel.Find();
        return TModel.Load(folder, folder);
    }
}
