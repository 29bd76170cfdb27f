using System.Diagnostics;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Described;

/// <summary>Trains new layers, and of the pretrained network under them what is not frozen; Keras' <c>model.fit</c>.</summary>
/// <remarks>
/// A wholly frozen network computes its features once for each row. The same seed, rows and options give the same weights to the bit on the
/// same machine with the same thread count. Dropout draws from libtorch's one generator of the process, so with dropout this holds only
/// while no other thread draws from it.
/// </remarks>
public sealed class NetworkTrainer
{
    private readonly TransferNetwork _network;
    private readonly ModuleTrainingOptions _options;
    private readonly LossFunction _loss;

    /// <summary>Checks the options.</summary>
    /// <param name="network">What is trained.</param>
    /// <param name="options">How.</param>
    /// <exception cref="ArgumentException">An option is out of range or does not fit the network, or there is nothing to train.</exception>
    public NetworkTrainer(TransferNetwork network, ModuleTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        if (options.Loss == TrainingLoss.CategoricalCrossEntropy && network.OutputShape is not [> 1])
        {
            throw new ArgumentException(
                $"{options.Loss} needs a network that gives a vector of two or more classes; it gives [{string.Join(", ", network.OutputShape)}].");
        }

        if (!network.TrainableParameters.Any())
            throw new ArgumentException("There is nothing to train: there are no new layers with weights, and the pretrained network is frozen.");
        (_network, _options) = (network, options);
        _loss = new LossFunction(options.Loss, network.NewLayers.FinalActivation);
    }

    /// <summary>Runs the training. The network is in inference state afterwards, with its last or its best weights.</summary>
    /// <param name="training">The rows to train on.</param>
    /// <param name="validation">Held-out rows for the validation loss, early stopping and the best weights; null for none.</param>
    /// <param name="progress">Told after every epoch, on this thread.</param>
    /// <param name="cancellationToken">Checked before every batch.</param>
    /// <exception cref="ArgumentException">There are no rows, or early stopping lacks validation rows.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled. The weights are those of the start.</exception>
    /// <exception cref="TrainingDivergedException">
    /// The loss became NaN or infinite. The network has the weights of its best epoch on the validation rows, else those of the start.
    /// </exception>
    public TrainingHistory Train(
        ITrainingRows training, ITrainingRows? validation = null, IProgress<EpochResult>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(training);
        if (training.Count == 0)
            throw new ArgumentException("There is nothing to train on: there are no rows.", nameof(training));
        if (validation is { Count: 0 })
            validation = null;
        if (validation is null && _options.EarlyStoppingPatience > 0)
            throw new ArgumentException($"{nameof(ModuleTrainingOptions.EarlyStoppingPatience)} needs validation rows.", nameof(validation));

        using var start = new StateSnapshot(_network);
        using var best = validation is null ? null : new StateSnapshot(_network);
        var bestEpoch = 0;
        try
        {
            var clock = Stopwatch.StartNew();
            if (_network.Pretrained is { IsTrainable: false })
            {
                training = new FeatureRows(_network, training, _options.BatchSize, cancellationToken);
                validation = validation is null ? null : new FeatureRows(_network, validation, _options.BatchSize, cancellationToken);
            }

            using var optimizer = new NetworkOptimizer(_network, _options);
            var epochs = new List<EpochResult>();
            var bestLoss = double.PositiveInfinity;
            var stoppedEarly = false;
            for (var epoch = 1; epoch <= _options.NumberOfEpochs && !stoppedEarly; epoch++)
            {
                var (loss, metric) = RunEpoch(optimizer, training, epoch, cancellationToken);
                (double Loss, double Metric)? held = validation is null ? null : Evaluate(validation, cancellationToken);
                if (held is { } heldOut)
                {
                    if (!double.IsFinite(heldOut.Loss))
                        throw new TrainingDivergedException(epoch * StepsOf(training), heldOut.Loss);
                    if (heldOut.Loss < bestLoss)
                    {
                        (bestLoss, bestEpoch) = (heldOut.Loss, epoch);
                        best!.Take();
                    }

                    stoppedEarly = _options.EarlyStoppingPatience > 0 && epoch - bestEpoch >= _options.EarlyStoppingPatience;
                }

                epochs.Add(new EpochResult(epoch, loss, metric, held?.Loss, held?.Metric, clock.Elapsed));
                progress?.Report(epochs[^1]);
            }

            var keepsBest = _options.KeepBestModel && bestEpoch > 0 && bestEpoch < epochs.Count;
            if (keepsBest)
                best!.Restore();
            return new TrainingHistory
            {
                Epochs = epochs,
                MetricName = _loss.MetricName,
                ModelEpoch = keepsBest ? bestEpoch : epochs.Count,
                StoppedEarly = stoppedEarly && epochs.Count < _options.NumberOfEpochs,
            };
        }
        catch (Exception exception)
        {
            (exception is TrainingDivergedException && bestEpoch > 0 ? best! : start).Restore();
            throw;
        }
        finally
        {
            _network.SetTraining(false);
        }
    }

    /// <summary>The loss and the metric on rows, without training.</summary>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public (double Loss, double Metric) Evaluate(ITrainingRows rows, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        _network.SetTraining(false);
        using var gradients = no_grad();
        var (loss, metric) = (0.0, 0.0);
        foreach (var batch in Enumerable.Range(0, rows.Count).Chunk(_options.BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (output, target) = Compute(rows, batch);
            loss += _loss.Loss(output, target).item<float>() * batch.Length;
            metric += _loss.Metric(output, target) * batch.Length;
        }

        return (loss / rows.Count, metric / rows.Count);
    }

    private (double Loss, double Metric) RunEpoch(NetworkOptimizer optimizer, ITrainingRows rows, int epoch, CancellationToken cancellationToken)
    {
        _network.SetTraining(true);
        var order = _options.Shuffle
            ? new SplitMix64(SplitMix64.Mix((ulong)_options.Seed, 2, (ulong)epoch)).Permutation(rows.Count)
            : [.. Enumerable.Range(0, rows.Count)];
        var (loss, metric, step) = (0.0, 0.0, (epoch - 1) * StepsOf(rows));
        foreach (var batch in order.Chunk(_options.BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            step++;
            manual_seed((long)SplitMix64.Mix((ulong)_options.Seed, 1, (ulong)step)); // dropout
            using var scope = NewDisposeScope();
            var (output, target) = Compute(rows, batch);
            var batchLoss = _loss.Loss(output, target);
            var value = (double)batchLoss.item<float>();
            if (!double.IsFinite(value))
                throw new TrainingDivergedException(step, value, double.NaN);
            batchLoss.backward();
            optimizer.Step();
            optimizer.ClearGradients();
            loss += value * batch.Length;
            metric += _loss.Metric(output, target) * batch.Length;
        }

        if (!HasFiniteWeights())
            throw new TrainingDivergedException(step, loss / rows.Count, double.NaN);
        return (loss / rows.Count, metric / rows.Count);
    }

    // A gradient may overflow where the loss did not.
    private bool HasFiniteWeights()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        return _network.TrainableParameters.All(p => p.Value.isfinite().all().item<bool>());
    }

    // Both [batch, output shape].
    private (Tensor Output, Tensor Target) Compute(ITrainingRows rows, int[] batch)
    {
        var features = rows is FeatureRows
            ? RowTensors.Inputs(rows, batch, _network.NewLayers.InputShape)
            : _network.Features(RowTensors.Inputs(rows, batch, _network.InputShape));
        return (_network.NewLayers.Compute(features, _loss.TakesLogits), RowTensors.Targets(rows, batch, _network.OutputShape));
    }

    private int StepsOf(ITrainingRows rows) => (rows.Count + _options.BatchSize - 1) / _options.BatchSize;
}
