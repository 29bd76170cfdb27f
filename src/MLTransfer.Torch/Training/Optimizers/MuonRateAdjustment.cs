using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Training.Optimizers;

/// <summary>What Muon multiplies the learning rate of a matrix with (<c>adjust_lr_fn</c>).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MuonRateAdjustment>))]
public enum MuonRateAdjustment
{
    /// <summary>sqrt(max(1, rows / columns)), as Jordan et al. have it (<c>original</c>): rates are ten times AdamW's or more.</summary>
    Original,

    /// <summary>
    /// 0.2 sqrt(max(rows, columns)) (arXiv 2502.16982, <c>match_rms_adamw</c>): steps are as large as AdamW's usually are, so that AdamW's
    /// learning rate will do.
    /// </summary>
    MatchAdamW,
}
