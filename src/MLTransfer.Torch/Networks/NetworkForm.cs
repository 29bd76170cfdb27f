using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using MLTransfer.Torch.Networks.DalleMini;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Vits;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks;

/// <summary>A row of the registry of checkpoint forms, which are recognised by what is in the folder.</summary>
/// <param name="Description">What error messages call it.</param>
/// <param name="IsIn">Whether a folder holds one.</param>
/// <param name="Load">Loads it, in evaluation mode.</param>
internal sealed record NetworkForm(string Description, Func<string, bool> IsIn, Func<string, ScalarType, Device, GenerativeNetwork> Load)
{
    /// <summary>Networks of their own classes, by <c>model_type</c>; all others are described transformers.</summary>
    private static readonly Dictionary<string, Func<string, ScalarType, Device, GenerativeNetwork>> s_ofModelType = new()
    {
        [MusicGenConfiguration.ModelType] = static (folder, type, device) => MusicGenModel.Load(folder, type, device),
        [EnCodecConfiguration.ModelType] = static (folder, _, device) => EnCodecModel.Load(folder, device),
        [VitsConfiguration.ModelType] = static (folder, type, device) => VitsModel.Load(folder, type, device),
    };

    private static readonly NetworkForm[] s_all =
    [
        new("encoder, decoder and detoker, each .safetensors or .pt (DALL-E mini)", DalleMiniFiles.AreIn,
            static (folder, type, device) => DalleMiniModel.Load(folder, type, device)),
        new(
            $"{ModelConfigurationFile.FileName} with the 'architecture' {VqganConfiguration.Architecture} and weights, or "
            + $"{CheckpointFiles.TamingConfiguration} with {VqganFiles.TamingWeights} (VQGAN)",
            VqganFiles.AreIn, static (folder, _, device) => VqganModel.Load(folder, device)),
        new(DalleFiles.Description, DalleFiles.IsIn, static (folder, type, device) => DalleModel.Load(folder, type, device)),
        new($"{ModelConfigurationFile.FileName} with a 'model_type' and weights (Hugging Face)",
            static folder => Configures(folder, "model_type"),
            LoadByModelType),
        new(DiscreteVaeFiles.Description, DiscreteVaeFiles.IsIn, static (folder, _, device) => DiscreteVaeModel.Load(folder, device)),
        new(
            $"{ModelConfigurationFile.FileName} with an 'architecture', {StyleGan2Model.GeneratorFile} and "
            + $"{StyleGan2Model.DiscriminatorFile}",
            static folder => Configures(folder, "architecture") || File.Exists(Path.Combine(folder, StyleGan2Model.GeneratorFile)),
            static (folder, _, device) => StyleGan2Model.Load(folder, device)),
    ];

    /// <summary>The form that a folder has.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">It has none of the forms.</exception>
    public static NetworkForm Of(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"The checkpoint folder '{folder}' does not exist.");
        return s_all.FirstOrDefault(form => form.IsIn(folder)) ?? throw new FileNotFoundException(
            $"'{folder}' holds no checkpoint that is known. Expected one of: {string.Join("; ", s_all.Select(form => form.Description))}.");
    }

    private static GenerativeNetwork LoadByModelType(string folder, ScalarType type, Device device) =>
        s_ofModelType.TryGetValue(ModelConfigurationFile.Read(folder)["model_type"]?.ToString() ?? "", out var load)
            ? load(folder, type, device) : TransformerNetwork.Load(folder, type, device);

    private static bool Configures(string folder, string key) =>
        File.Exists(Path.Combine(folder, ModelConfigurationFile.FileName)) && ModelConfigurationFile.Read(folder).ContainsKey(key);
}
