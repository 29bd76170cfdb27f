namespace MLTransfer.Experiments.Tuners;

/// <summary>A symmetric matrix with its eigenvectors and the square roots of its eigenvalues.</summary>
internal sealed class CovarianceMatrix
{
    private readonly int _size;
    private readonly double[] _matrix; // [size, size]

    /// <summary>The identity.</summary>
    public CovarianceMatrix(int size)
    {
        (_size, _matrix, Axes, Lengths) = (size, new double[size * size], new double[size * size], new double[size]);
        for (var i = 0; i < size; i++)
            (_matrix[i * size + i], Axes[i * size + i], Lengths[i]) = (1, 1, 1);
    }

    /// <summary>Eigenvectors: column k is that of length k; row by row.</summary>
    public double[] Axes { get; }

    /// <summary>The square roots of the eigenvalues.</summary>
    public double[] Lengths { get; }

    public void Scale(double factor)
    {
        for (var i = 0; i < _matrix.Length; i++)
            _matrix[i] *= factor;
    }

    /// <summary>Adds the product of a vector with itself.</summary>
    public void AddOuter(ReadOnlySpan<double> vector, double factor)
    {
        for (var i = 0; i < _size; i++)
        {
            for (var j = 0; j < _size; j++)
                _matrix[i * _size + j] += factor * vector[i] * vector[j];
        }
    }

    /// <summary>A vector in the coordinates of the axes, each stretched by a power of its length, and back.</summary>
    public void Stretch(ReadOnlySpan<double> vector, int power, bool fromAxes, Span<double> result)
    {
        Span<double> inner = stackalloc double[_size];
        for (var k = 0; k < _size; k++)
        {
            double sum = 0;
            for (var i = 0; fromAxes is false && i < _size; i++)
                sum += Axes[i * _size + k] * vector[i];
            inner[k] = (fromAxes ? vector[k] : sum) * (power < 0 ? 1 / Lengths[k] : Lengths[k]);
        }

        for (var i = 0; i < _size; i++)
        {
            result[i] = 0;
            for (var k = 0; k < _size; k++)
                result[i] += Axes[i * _size + k] * inner[k];
        }
    }

    /// <summary>Finds axes and lengths anew, by rotations of two axes at a time (Jacobi 1846).</summary>
    public void Decompose()
    {
        var rotated = (double[])_matrix.Clone();
        Array.Clear(Axes);
        for (var i = 0; i < _size; i++)
            Axes[i * _size + i] = 1;
        for (var sweep = 0; sweep < 50 && OffDiagonal(rotated) > 1e-30; sweep++)
        {
            for (var p = 0; p < _size; p++)
            {
                for (var q = p + 1; q < _size; q++)
                    Rotate(rotated, p, q);
            }
        }

        for (var k = 0; k < _size; k++)
            Lengths[k] = Math.Sqrt(Math.Max(rotated[k * _size + k], 1e-20));
    }

    private double OffDiagonal(double[] matrix)
    {
        double sum = 0;
        for (var i = 0; i < _size; i++)
        {
            for (var j = i + 1; j < _size; j++)
                sum += matrix[i * _size + j] * matrix[i * _size + j];
        }

        return sum;
    }

    private void Rotate(double[] matrix, int p, int q)
    {
        var off = matrix[p * _size + q];
        if (off == 0)
            return;
        var theta = (matrix[q * _size + q] - matrix[p * _size + p]) / (2 * off);
        var t = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt(theta * theta + 1));
        var c = 1 / Math.Sqrt(t * t + 1);
        var s = t * c;
        for (var k = 0; k < _size; k++)
        {
            var (a, b) = (matrix[k * _size + p], matrix[k * _size + q]);
            (matrix[k * _size + p], matrix[k * _size + q]) = (c * a - s * b, s * a + c * b);
        }

        for (var k = 0; k < _size; k++)
        {
            var (a, b) = (matrix[p * _size + k], matrix[q * _size + k]);
            (matrix[p * _size + k], matrix[q * _size + k]) = (c * a - s * b, s * a + c * b);
            (a, b) = (Axes[k * _size + p], Axes[k * _size + q]);
            (Axes[k * _size + p], Axes[k * _size + q]) = (c * a - s * b, s * a + c * b);
        }
    }
}
