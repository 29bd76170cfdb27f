using System.Text.Json.Nodes;
using MLTransfer.Models;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests;

/// <summary>The models that are exported, all in evaluation mode.</summary>
internal static class TestModels
{
    public static CausalLanguageModel Tiny() => Load(RepositoryFiles.Data("gpt2-tiny"));

    public static TextTokenizer TinyTokenizer() => TextTokenizer.Load(RepositoryFiles.Data("gpt2-tiny"));

    public static CausalLanguageModel Tales() => Load(TalesModel.Folder);

    /// <summary>
    /// The tiny configuration with a change, and random weights; biases and norms are not at their start. Wants a class of process-wide
    /// state.
    /// </summary>
    public static CausalLanguageModel Random(Action<JsonObject> change)
    {
        var json = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("gpt2-tiny/config.json")))!.AsObject();
        change(json);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        manual_seed(7);
        var model = CausalLanguageModel.Create(json);
        foreach (var parameter in model.parameters())
            parameter.add_(randn_like(parameter), alpha: 0.1);
        model.eval();
        return model;
    }

    /// <summary>Sets all elements of a parameter.</summary>
    public static void Fill(CausalLanguageModel model, string parameter, double value)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        model.get_parameter(parameter)!.fill_(value);
    }

    private static CausalLanguageModel Load(string folder)
    {
        var model = CausalLanguageModel.Load(folder);
        model.eval();
        return model;
    }
}
