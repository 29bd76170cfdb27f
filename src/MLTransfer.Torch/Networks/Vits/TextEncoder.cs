using MLTransfer.Torch.Layers;
using static TorchSharp.torch;
using Embedding = MLTransfer.Torch.Layers.Embedding;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>The prior's text encoder: characters to hidden states, and to the means and log deviations of latent variables.</summary>
internal sealed class TextEncoder : NamedModule
{
    private readonly VitsConfiguration _configuration;
    private readonly DropoutSource _dropout;
    private readonly List<TextEncoderLayer> _layers = [];

    public TextEncoder(WeightScope weights, VitsConfiguration c, DropoutSource dropout)
        : base(nameof(TextEncoder))
    {
        (_configuration, _dropout) = (c, dropout);
        Table = new Embedding(
            weights.Scope("embed_tokens"), c.VocabularySize, c.HiddenWidth, Initialization.Normal(1 / Math.Sqrt(c.HiddenWidth)));
        register_module("embed_tokens", Table);
        for (var i = 0; i < c.Layers; i++)
        {
            var layer = new TextEncoderLayer(weights.Scope($"encoder.layers.{i}"), c, dropout);
            _layers.Add(layer);
            ModuleNode.Add(this, $"encoder.layers.{i}", layer);
        }

        Project = new TimeConvolution(weights.Scope("project"), c.HiddenWidth, 2 * c.LatentWidth, kernel: 1);
        register_module("project", Project);
    }

    public Embedding Table { get; }

    public IReadOnlyList<TextEncoderLayer> Layers => _layers;

    public TimeConvolution Project { get; }

    /// <summary>Encodes characters.</summary>
    /// <param name="ids">[N, T] int64.</param>
    /// <param name="mask">[N, 1, T]: 1 for characters, 0 for padding.</param>
    /// <returns>Hidden states [N, width, T]; means and log deviations [N, latent width, T].</returns>
    public (Tensor Hidden, Tensor Means, Tensor LogDeviations) Forward(Tensor ids, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var embedded = training && Table.TrainedRows is { } rows
            ? Table.Weight.detach().index_copy(0, rows.Ids, rows.Values).index_select(0, ids.view(-1)).view([.. ids.shape, Table.Width])
            : Table.call(ids);
        if (training && _configuration.PaddingId is { } padding)
            embedded = where(ids.eq(padding).unsqueeze(-1), embedded.detach(), embedded); // PyTorch's padding_idx is not trained
        var columns = mask.transpose(1, 2); // [N, T, 1]
        var hidden = embedded * Math.Sqrt(_configuration.HiddenWidth) * columns;
        var unseen = mask.unsqueeze(1).eq(0); // [N, 1, 1, T]
        foreach (var layer in _layers)
        {
            if (!training || !_dropout.Happens(_configuration.LayerDrop))
                hidden = layer.Forward(hidden, columns, unseen);
        }

        var states = (hidden * columns).transpose(1, 2);
        var statistics = (Project.Forward(states) * mask).split(_configuration.LatentWidth, 1);
        return (states.MoveToOuterDisposeScope(), statistics[0].MoveToOuterDisposeScope(), statistics[1].MoveToOuterDisposeScope());
    }
}
